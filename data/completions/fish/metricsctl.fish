# SPDX-License-Identifier: LGPL-2.1-or-later
# Completions of metricsctl for fish. Nothing that is typed, and nothing that the server answers, is ever evaluated.

# The words in front of the cursor that are no options and no values of any: the command and its arguments.
function __metricsctl_words
    set -l words (commandline -opc)
    set -l options 1
    set -l skip 0
    for word in $words[2..]
        if test $skip -eq 1
            set skip 0
        else if test $options -eq 1; and test "$word" = --
            set options 0
        else if test $options -eq 1; and contains -- "$word" -a --address --timeout -s --step -f --function --from --to \
                -o --output --count -i --interval -p --prefix --buffer -n --points --series -c --connections -d --depth -r \
                --requests --reads --idle --warm-up --since --width --height --min --max --limit --color \
                -w --window --sort --lines
            set skip 1
        else if test $options -eq 1; and string match -qr '^-[^0-9]' -- "$word"
            continue
        else
            printf '%s\n' "$word"
        end
    end
end

# Whether the command is one of those behind the first argument, which says how many arguments it has so far (or any).
function __metricsctl_at
    set -l words (__metricsctl_words)
    test (count $words) -ge 1; or return
    test $argv[1] = any; or test (math (count $words) - 1) -eq $argv[1]; or return
    contains -- "$words[1]" $argv[2..]
end

function __metricsctl_at_command
    test (count (__metricsctl_words)) -eq 0
end

# Where the command line says that the server is, for another metricsctl.
function __metricsctl_server
    set -l words (commandline -opc)
    for i in (seq 2 (count $words))
        switch "$words[$i]"
            case --
                return
            case --session --system '--address=*'
                printf '%s\n' "$words[$i]"
            case -a --address
                set -l next (math $i + 1)
                test $next -le (count $words); and printf '%s\n' "--address=$words[$next]"
        end
    end
end

# The argument is keys or patterns.
function __metricsctl_keys
    set -l words (commandline -opc)
    set -l program metricsctl
    string match -q '*/*' -- "$words[1]"; and test -x "$words[1]"; and set program $words[1]
    command -q $program; or return
    set -l typed (commandline -ct)
    # A quote that is still open is none of the key's.
    set -l prefix (string unescape -- "$typed"; or string trim --left --chars "'\"" -- "$typed")
    command $program complete (__metricsctl_server) $argv[1] -- "$prefix" 2>/dev/null
end

complete -c metricsctl -f

complete -c metricsctl -s a -l address -x -a 'bus:session bus:system localhost:8888 unix:/' -d 'Where the server is'
complete -c metricsctl -l session -d 'Your own server, on the session bus'
complete -c metricsctl -l system -d "The machine's server, on the system bus"
complete -c metricsctl -l timeout -x -d 'How long to wait for an answer'
complete -c metricsctl -l human -d 'Write for people'
complete -c metricsctl -l plain -d "Write the protocol's rows"
complete -c metricsctl -l json -d 'Write one JSON document'
complete -c metricsctl -s h -l help -d 'Show the help'
complete -c metricsctl -l version -d 'Show the version'

complete -c metricsctl -n __metricsctl_at_command -a put -d 'Put a point'
complete -c metricsctl -n __metricsctl_at_command -a get -d 'Show all points of a key, or of all keys'
complete -c metricsctl -n __metricsctl_at_command -a last -d 'Show the newest point of every key'
complete -c metricsctl -n __metricsctl_at_command -a range -d 'Show the points of a span of time'
complete -c metricsctl -n __metricsctl_at_command -a plot -d 'Draw keys over time'
complete -c metricsctl -n __metricsctl_at_command -a top -d 'Show a table that changes'
complete -c metricsctl -n __metricsctl_at_command -a keys -d 'List the keys'
complete -c metricsctl -n __metricsctl_at_command -a del -d 'Delete points or whole keys'
complete -c metricsctl -n __metricsctl_at_command -a watch -d 'Show points as they are put'
complete -c metricsctl -n __metricsctl_at_command -a flush -d 'Wait until all points are on disk'
complete -c metricsctl -n __metricsctl_at_command -a ping -d 'Ask whether the server is there'
complete -c metricsctl -n __metricsctl_at_command -a stats -d "Show the server's own figures"
complete -c metricsctl -n __metricsctl_at_command -a import -d 'Put points from a file or from standard input'
complete -c metricsctl -n __metricsctl_at_command -a export -d 'Write points out for a later import'
complete -c metricsctl -n __metricsctl_at_command -a collect -d "Put this machine's own figures"
complete -c metricsctl -n __metricsctl_at_command -a bench -d 'Measure how fast the server is'

complete -c metricsctl -n '__metricsctl_at 0 put get' -a '(__metricsctl_keys keys)'
complete -c metricsctl -n '__metricsctl_at 0 last range keys del export' -a '(__metricsctl_keys patterns)'
complete -c metricsctl -n '__metricsctl_at any watch' -a '(__metricsctl_keys patterns)'
complete -c metricsctl -n '__metricsctl_at any plot top' -a '(__metricsctl_keys patterns)'
complete -c metricsctl -n '__metricsctl_at 2 put' -a 'now now-5m now-1h now-1d'
complete -c metricsctl -n '__metricsctl_at 1 range del; or __metricsctl_at 2 range del' \
    -a 'now now-5m now-1h now-6h now-1d now-1w now-4w'
complete -c metricsctl -n '__metricsctl_at 0 import' -F

complete -c metricsctl -n '__metricsctl_at any get' -l all -d 'All keys'
complete -c metricsctl -n '__metricsctl_at any range' -s s -l step -x -a '10s 1m 5m 15m 1h 6h 1d 1w' \
    -d 'One point for each step'
complete -c metricsctl -n '__metricsctl_at any range' -s f -l function -x \
    -a 'avg min max sum count first last median p95 p99 rate' -d 'What is made of the points of a step'
complete -c metricsctl -n '__metricsctl_at any plot' -l from -x -a 'now-1h now-1d now-1w now-4w' -d 'The earliest time'
complete -c metricsctl -n '__metricsctl_at any plot' -l to -x -a 'now now-1h now-1d now-1w now-4w' -d 'The latest time'
complete -c metricsctl -n '__metricsctl_at any plot' -l since -x -a '5m 10m 1h 6h 1d 1w 4w' -d 'How long the span is'
complete -c metricsctl -n '__metricsctl_at any plot' -s s -l step -x -a '10s 1m 5m 15m 1h 6h 1d 1w' \
    -d 'What a point stands for'
complete -c metricsctl -n '__metricsctl_at any plot' -s f -l function -x \
    -a 'avg min max sum count first last median p95 p99 rate' -d 'What is made of the points of a step'
complete -c metricsctl -n '__metricsctl_at any plot' -l follow -d 'Go on with the points as they are put'
complete -c metricsctl -n '__metricsctl_at any plot' -l width -x -d 'Columns of the picture'
complete -c metricsctl -n '__metricsctl_at any plot' -l height -x -d 'Lines of the picture'
complete -c metricsctl -n '__metricsctl_at any plot' -l min -x -d 'Where the axis of values begins'
complete -c metricsctl -n '__metricsctl_at any plot' -l max -x -d 'Where the axis of values ends'
complete -c metricsctl -n '__metricsctl_at any plot' -s n -l limit -x -d 'How many series to draw'
complete -c metricsctl -n '__metricsctl_at any plot' -s u -l utc -d 'Show universal times'
complete -c metricsctl -n '__metricsctl_at any plot' -l ascii -d 'Draw with ASCII alone'
complete -c metricsctl -n '__metricsctl_at any plot' -l color -x -a 'auto always never' -d 'Use colours'
complete -c metricsctl -n '__metricsctl_at any top' -s w -l window -x -a '5m 10m 1h 6h 1d 1w 4w' -d 'How far back to look'
complete -c metricsctl -n '__metricsctl_at any top' -s s -l sort -x -a 'key last min max avg points age' \
    -d 'What to sort by'
complete -c metricsctl -n '__metricsctl_at any top' -s r -l reverse -d 'The other way around'
complete -c metricsctl -n '__metricsctl_at any top' -l once -d 'Print the table once'
complete -c metricsctl -n '__metricsctl_at any top' -s n -l lines -x -d 'How many rows to print'
complete -c metricsctl -n '__metricsctl_at any top' -l ascii -d 'Draw with ASCII alone'
complete -c metricsctl -n '__metricsctl_at any top' -l color -x -a 'auto always never' -d 'Use colours'
complete -c metricsctl -n '__metricsctl_at any del' -s y -l yes -d 'Do not ask'
complete -c metricsctl -n '__metricsctl_at any watch' -s n -l count -x -d 'End after so many points'
complete -c metricsctl -n '__metricsctl_at any export' -l from -x -a 'now-1h now-1d now-1w now-4w' -d 'The earliest time'
complete -c metricsctl -n '__metricsctl_at any export' -l to -x -a 'now now-1h now-1d now-1w now-4w' -d 'The latest time'
complete -c metricsctl -n '__metricsctl_at any export' -s o -l output -r -F -d 'Write to a file'
complete -c metricsctl -n '__metricsctl_at any collect' -s i -l interval -x -d 'Time between two readings'
complete -c metricsctl -n '__metricsctl_at any collect' -s p -l prefix -x -d 'What the keys begin with'
complete -c metricsctl -n '__metricsctl_at any collect' -l once -d 'Read once and end'
complete -c metricsctl -n '__metricsctl_at any collect' -l print -d 'Write lines to standard output'
complete -c metricsctl -n '__metricsctl_at any collect' -l buffer -x -d 'How many are kept without a server'
complete -c metricsctl -n '__metricsctl_at any bench' -a 'pipeline request read read-all many-series late'
complete -c metricsctl -n '__metricsctl_at any bench' -s n -l points -x -d 'Points to put or to read'
complete -c metricsctl -n '__metricsctl_at any bench' -s s -l series -x -d 'Series that they are in'
complete -c metricsctl -n '__metricsctl_at any bench' -s c -l connections -x -d 'Connections at once'
complete -c metricsctl -n '__metricsctl_at any bench' -s d -l depth -x -d 'Requests that may wait for an answer'
complete -c metricsctl -n '__metricsctl_at any bench' -s r -l requests -x -d 'Puts of request'
complete -c metricsctl -n '__metricsctl_at any bench' -l reads -x -d 'Reads'
complete -c metricsctl -n '__metricsctl_at any bench' -l idle -x -d 'Connections beside that do nothing'
complete -c metricsctl -n '__metricsctl_at any bench' -l warm-up -x -d 'Unmeasured requests before'
complete -c metricsctl -n '__metricsctl_at any bench' -l prefix -x -d 'What all keys begin with'
complete -c metricsctl -n '__metricsctl_at any bench' -l keep -d 'Leave the points in the server'
