# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other servers out of Debian's packages, unpacked into a folder: nothing is installed, no service is started, and
whoever runs this need not be root."""

import glob
import os
import subprocess
import sys


def missing(packages):
    """What would have to be installed for these, with what they depend on; what the machine has is used."""
    command = ['apt-get', 'install', '--simulate', '--no-install-recommends', '--no-upgrade', *packages]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, 'LC_ALL': 'C'})
    if result.returncode != 0:
        return None
    return [line.split()[1] for line in result.stdout.splitlines() if line.startswith('Inst ')]


def unpack(packages, folder):
    """Downloads what is missing and unpacks it below the folder."""
    names = missing(packages)
    if names is None and os.geteuid() == 0:
        subprocess.run(['apt-get', 'update', '-q'], stdout=subprocess.DEVNULL, check=True, timeout=300)
        names = missing(packages)
    if names is None:
        sys.exit(f'peers: apt-get does not know {" ".join(packages)}: run apt-get update as root')
    debs = os.path.join(folder, 'debs')
    os.makedirs(debs, exist_ok=True)
    wanted = [name for name in names if not os.path.exists(stamp(debs, name))]
    if not wanted:
        return
    print(f'peers: downloading {len(wanted)} packages', file=sys.stderr)
    subprocess.run(['apt-get', 'download', '-q', *wanted], cwd=debs, stdout=subprocess.DEVNULL, check=True, timeout=900)
    for name in wanted:
        for deb in glob.glob(os.path.join(debs, f'{glob.escape(name)}_*.deb')):
            subprocess.run(['dpkg-deb', '-x', deb, folder], check=True, timeout=300)
        with open(stamp(debs, name), 'w'):
            pass


def stamp(debs, name):
    """The file that says that a package was unpacked, to its end."""
    return os.path.join(debs, f'{name}.unpacked')


def environment(folder):
    """In which unpacked programs find themselves."""
    libraries = glob.glob(os.path.join(folder, 'usr/lib/*-linux-gnu*'))
    return {
        **os.environ,
        'PATH': f'{folder}/usr/bin:{folder}/usr/sbin:/usr/bin:/usr/sbin:/bin',
        'LD_LIBRARY_PATH': ':'.join(libraries),
        'PYTHONPATH': f'{folder}/usr/lib/python3/dist-packages',
        'PYTHONDONTWRITEBYTECODE': '1',
        'LC_ALL': 'C.UTF-8',
    }


def version(package, folder):
    """Which version of a package is used."""
    for deb in glob.glob(os.path.join(folder, 'debs', f'{glob.escape(package)}_*.deb')):
        return os.path.basename(deb).split('_')[1].replace('%3a', ':')
    result = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', package], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
    return result.stdout or '?'
