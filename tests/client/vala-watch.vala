/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program as somebody would write it in Vala: takes the address of a server, and prints what its watches tell. */

int main (string[] args)
{
    var client = new Metrics.Client (args[1]);
    var loop = new MainLoop ();
    int status = 1;

    use.begin (client, (source, result) => {
        try {
            use.end (result);
            status = 0;
        } catch (GLib.Error error) {
            printerr ("%s\n", error.message);
        }
        loop.quit ();
    });
    loop.run ();
    return status;
}

async void use (Metrics.Client client) throws GLib.Error
{
    yield listen (client);
    yield iterate (client);
}

async void listen (Metrics.Client client) throws GLib.Error
{
    var watch = new Metrics.Watch (client, { "vala.a*", "vala.b" });
    uint n_points = 0;

    watch.connected.connect ((gap) => {
        print ("gap %s %s\n", gap.to_string (), watch.online.to_string ());
        listen.callback ();
    });
    yield;
    watch.points.connect ((samples) => {
        foreach (unowned Metrics.Sample sample in samples)
            print ("%s=%g@%lld\n", sample.key, sample.value, sample.timestamp);
        n_points += samples.length;
        if (n_points == 2)
            listen.callback ();
    });
    client.put ("vala.a1", 1.5, 10);
    client.put ("vala.c", 7, 10);
    client.put ("vala.b", 2, 10);
    yield;
    watch.close ();
}

async void iterate (Metrics.Client client) throws GLib.Error
{
    var watch = new Metrics.Watch (client, { "vala.*" });
    uint64 n_dropped;
    bool gap;

    watch.connected.connect (() => iterate.callback ());
    yield;
    client.put ("vala.next", 1, 1);
    var samples = yield watch.next_async (null, out n_dropped, out gap);
    print ("next %g %llu %s\n", samples[0].value, n_dropped, gap.to_string ());
    client.put ("vala.next", 2, 2);
    samples = watch.next (out n_dropped, out gap);
    print ("next %g %llu %s\n", samples[0].value, n_dropped, gap.to_string ());
    watch.close ();
    try {
        yield watch.next_async (null, null, null);
        assert_not_reached ();
    } catch (Metrics.Error.CLOSED error) {
        print ("closed\n");
    }
}
