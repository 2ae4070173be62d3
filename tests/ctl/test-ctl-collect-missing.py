# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl collect of a metricsctl that was built without libgtop."""

import harness
from ctl import Ctl


class Missing(harness.TestCase):
    def test_says_so(self):
        for words in ([], ['--once', '--print'], ['--help']):
            result = Ctl().run('collect', *words)
            self.assertEqual((result.status, result.out), (1, ''))
            self.assertRegex(result.err, r"^metricsctl: .*built without 'collect'.*\n$")


harness.main()
