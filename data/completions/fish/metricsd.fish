# SPDX-License-Identifier: LGPL-2.1-or-later
# Completions of metricsd for fish.

complete -c metricsd -f

complete -c metricsd -l host -x -a '127.0.0.1 ::1' -d 'Host to listen on'
complete -c metricsd -l port -x -d 'TCP port'
complete -c metricsd -l listen -r -F -a 'unix:/ 127.0.0.1: [::1]:' -d 'Address to listen on'
complete -c metricsd -l listen -x -n 'string match -q "*,*" -- (commandline -ct)' \
    -a '(string replace -r ",[^,]*\$" "" -- (commandline -ct)),{rights=read,rights=read+put,rights=read+put+delete,mode=0660,owner=}'
complete -c metricsd -l http-listen -r -F -a 'unix:/ 127.0.0.1: [::1]:' -d 'Address to serve HTTP on'
complete -c metricsd -l http-listen -x -n 'string match -q "*,*" -- (commandline -ct)' \
    -a '(string replace -r ",[^,]*\$" "" -- (commandline -ct)),{rights=read,rights=read+put,rights=read+put+delete,mode=0660,owner=}'
complete -c metricsd -l http-port -x -d 'TCP port of HTTP'
complete -c metricsd -l http-host -x -d 'Name by which browsers may call the server'
complete -c metricsd -l no-http -d 'Serve no HTTP'
complete -c metricsd -l session -d 'Be called on the session bus'
complete -c metricsd -l system -d 'Be called on the system bus'
complete -c metricsd -l log-level -x -a 'error warning notice info debug' -d 'What is logged'
complete -c metricsd -l self-metrics -x -d "How often to keep the server's own figures"
complete -c metricsd -l state-dir -x -a '(__fish_complete_directories (commandline -ct))' -d 'Folder in which points last'
complete -c metricsd -l lock-timeout -x -d 'Time to wait for another server of the folder'
complete -c metricsd -l exit-when-idle -x -d 'Leave after so long without anything to do'
complete -c metricsd -l memory-only -d 'Keep points in memory only'
complete -c metricsd -l durability -x -a 'interval always none' -d 'When points are on disk'
complete -c metricsd -l config -r -F -d 'Configuration file'
complete -c metricsd -l memory-limit -x -d 'Most memory for points'
complete -c metricsd -l series-limit -x -d 'Most keys'
complete -c metricsd -l connection-limit -x -d 'Most clients at once'
complete -c metricsd -l line-limit -x -d 'Longest line of a request'
complete -c metricsd -l unsent-limit -x -d 'Most that is held of answers'
complete -c metricsd -l slice-limit -x -d 'Most work for a client at a time'
complete -c metricsd -l line-timeout -x -d 'Time in which a line has to be complete'
complete -c metricsd -l answer-timeout -x -d 'Time to take an answer'
complete -c metricsd -l idle-timeout -x -d 'Time after which an idle client is sent away'
complete -c metricsd -l stop-timeout -x -d 'Time for clients when the server stops'
complete -c metricsd -l backup -r -F -d 'Copy what is stored into a new file'
complete -c metricsd -l check -d 'Say what is damaged'
complete -c metricsd -l recover -r -F -d 'Save what is whole into a new file'
complete -c metricsd -l check-config -d 'Say what is wrong with the configuration'
complete -c metricsd -l show-config -d 'Show the settings that hold'
complete -c metricsd -l show-retention -d 'Show what the rules would delete'
complete -c metricsd -l version -d 'Show the version'
complete -c metricsd -s h -l help -d 'Show the help'
