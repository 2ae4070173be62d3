/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program as somebody would write it in Vala: takes the address of a server, and prints nothing but what is wrong. */

int main (string[] args)
{
    var client = new Metrics.Client (args[1]);
    int status = 1;
    var loop = new MainLoop ();

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
    uint64 n_points;
    uint n_seen = 0;
    var batch = new Metrics.Batch ();

    client.put ("vala.sync", 1.5, 1);
    yield client.put_async ("vala.async", 2.5, 2, null);
    for (int i = 0; i < 100; i++)
        batch.add ("vala.batch", i, i);
    yield client.put_batch_async (batch, null);
    assert (batch.get_n_accepted () == 100);

    var samples = client.get ("vala.sync");
    assert (samples.length == 1);
    assert (samples[0].key == "vala.sync" && samples[0].value == 1.5 && samples[0].timestamp == 1);
    samples = yield client.range_buckets_async ("vala.batch", 0, Metrics.TIME_MAX, 50, Metrics.Function.MAX, null);
    assert (samples.length == 2 && samples[1].value == 99);

    var infos = client.keys ("vala.*");
    assert (infos.length == 3 && infos[2].n_points == 100);
    client.foreach ("*", Metrics.TIME_MIN, Metrics.TIME_MAX, (sample) => {
        return ++n_seen < 10;
    });
    assert (n_seen == 10);
    assert ("uptime" in client.stats ());

    try {
        client.put ("not a key", 1, 1);
        assert_not_reached ();
    } catch (Metrics.Error.INVALID_ARGUMENT error) {
        assert (error.message.length > 0);
    }
    client.delete ("*", out n_points);
    assert (n_points == 102);
    assert (client.timeout == 30000);
}
