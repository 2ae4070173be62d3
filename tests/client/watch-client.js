// SPDX-License-Identifier: LGPL-2.1-or-later

// A program as somebody would write it in JavaScript: takes the address of a server, and prints what its watches tell.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Metrics from 'gi://Metrics?version=1.0';
import System from 'system';

Gio._promisify(Metrics.Client.prototype, 'put_async', 'put_finish');
Gio._promisify(Metrics.Watch.prototype, 'next_async', 'next_finish');

const describe = samples => samples.map(s => `${s.key}=${s.value}@${s.timestamp}`).join(' ');
const connected = watch => new Promise(resolve => watch.connect('connected', (_, gap) => resolve(gap)));

async function listen(client) {
    const watch = Metrics.Watch.new(client, ['js.a*', 'js.b']);
    const kept = [];

    print('gap', await connected(watch), watch.online);
    await new Promise(resolve => {
        watch.connect('points', (_, samples) => {
            kept.push(...samples);
            if (kept.length === 3)
                resolve();
        });
        for (const [key, value] of [['js.a1', 1.5], ['js.c', 7], ['js.b', 2], ['js.a2', 3]])
            client.put_async(key, value, 10, null).catch(logError);
    });
    watch.close();
    System.gc();
    print('points', describe(kept));
}

async function iterate(client) {
    const watch = new Metrics.Watch({client, patterns: ['js.*'], queue_limit: 10});

    await connected(watch);
    for (let i = 0; i < 3; i++) {
        await client.put_async('js.next', i, i, null);
        const [samples, dropped, gap] = await watch.next_async(null);
        print('next', describe(samples), dropped, gap);
    }
    const last = watch.next_async(null);
    watch.close();
    await last.catch(error => print('closed', error.matches(Metrics.Error, Metrics.Error.CLOSED)));
}

async function fail(client) {
    const watch = Metrics.Watch.new(client, ['not a pattern']);
    const error = await new Promise(resolve => watch.connect('failed', (_, reason) => resolve(reason)));

    print('failed', error.matches(Metrics.Error, Metrics.Error.INVALID_ARGUMENT));
}

const loop = new GLib.MainLoop(null, false);
const client = Metrics.Client.new(ARGV[0]);

listen(client).then(() => iterate(client)).then(() => fail(client)).catch(logError).finally(() => loop.quit());
loop.run();
