# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ways to take all that a server has to another one: export and import, a backup, and what is recovered. All of them reach
the same state."""

import harness
from ctl import Ctl
from folders import FolderTest


class StateTest(FolderTest):
    def exported(self, server):
        result = Ctl(server).run('export')
        self.assertEqual((result.status, result.err), (0, ''))
        return result.out

    def test_all_ways_lead_to_the_same(self):
        self.fill(1, 2)
        self.crash()
        server = self.start_stored()
        before, text = self.everything(server), self.exported(server)
        self.assert_done('--backup', self.file)
        self.assertEqual(server.stop(), 0)
        recovered = self.file.with_suffix('.recovered')
        self.assert_done('--recover', recovered)
        for file in (self.file, recovered):
            self.assertEqual(self.served(file), before)

        imported = self.folder / 'imported'
        for _ in range(2):  # what is there already does no harm
            server = self.start('--state-dir', imported)
            result = Ctl(server).run('import', stdin=text)
            self.assertEqual(result.status, 0, result.err)
            self.assertEqual(self.everything(server), before)
            self.assertEqual(self.exported(server), text)
            self.assertEqual(server.stop(), 0)
        server = self.start('--state-dir', imported)
        self.assertEqual(self.everything(server), before)


if __name__ == '__main__':
    harness.main()
