# SPDX-License-Identifier: LGPL-2.1-or-later
"""A headless Chromium of the test's own, and the dashboard in it as somebody has it who clicks and types.

    class ClickTest(TestCase):
        def test_it(self):
            page = self.open(self.start(http=True))
            page.find('button', 'Add chart').click()

All tests of a program share one browser; each has windows of its own. A test fails on whatever the browser's console
says, but for what `page.allow()` names. Nothing here measures time: WATCHDOG only turns a hang into a failure."""

import base64
import collections
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import harness
from harness import SANITIZED

try:
    from selenium import webdriver
    from selenium.common.exceptions import (NoSuchElementException, StaleElementReferenceException, TimeoutException,
                                            WebDriverException)
    from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.wait import WebDriverWait
except ImportError:
    webdriver = None

WATCHDOG = 120 if SANITIZED else 40
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
POLL = 0.02  # seconds between two looks at what has no event

# Where pictures are left: of what was waited for in vain, and those that tests take.
PICTURES = os.environ.get('DASHBOARD_PICTURES')

FLAGS = [
    '--headless=new',
    '--remote-debugging-port=0',
    '--window-size=1280,900',
    '--force-device-scale-factor=1',
    '--lang=en-US',
    '--disable-gpu',
    '--disable-dev-shm-usage',  # a container has 64 MiB there
    # Nobody is spoken to but the server of the test.
    '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost',
    '--no-proxy-server',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-default-apps',
    '--disable-domain-reliability',
    '--disable-extensions',
    '--disable-sync',
    '--no-first-run',
    '--no-default-browser-check',
    '--no-pings',
    '--disable-breakpad',
    '--disable-crash-reporter',
    '--password-store=basic',
    '--use-mock-keychain',
    # A window is as busy behind another as in front.
    '--disable-backgrounding-occluded-windows',
    '--disable-background-timer-throttling',
    '--disable-renderer-backgrounding',
]


def missing():
    """What has to be there for a browser and is not, or None."""
    if webdriver is None:
        return 'python3-selenium is not installed'
    return next((f'{program} is not installed' for program in ('chromium', 'chromedriver') if not shutil.which(program)),
                None)


class Process:
    """A program that says something when it is ready, and that ends with this one, with all that it started."""

    def __init__(self, command, ready, env, log):
        self._log = log
        begin = log.seek(0, os.SEEK_END)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                                        start_new_session=True, preexec_fn=lambda: harness.prepare_child(None))
        try:
            self.match = self._wait(re.compile(ready), begin)
        except BaseException:
            self.end()
            raise

    def _wait(self, ready, begin):
        end = time.monotonic() + WATCHDOG
        while True:
            ended = self.process.poll() is not None
            said = os.pread(self._log.fileno(), 1 << 20, begin).decode(errors='replace')
            if match := ready.search(said):
                return match
            if ended or time.monotonic() > end:
                raise ChildProcessError(f'{self.process.args[0]} did not start; it wrote:\n{said[-4000:]}')
            time.sleep(POLL)

    def end(self):
        """The whole group: a browser is a dozen of processes, and those whose parent has ended are ours to wait for."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-self.process.pid, 0)


class Browser:
    """Chromium and its driver, with an empty profile."""

    def __init__(self):
        self._stack = contextlib.ExitStack()
        harness.LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise

    def _start(self):
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix='dashboard-', ignore_cleanup_errors=True))
        log = self._stack.enter_context(tempfile.TemporaryFile())
        env = {**os.environ, 'HOME': folder, 'XDG_CONFIG_HOME': folder, 'XDG_CACHE_HOME': folder, 'TMPDIR': folder,
               'LC_ALL': 'C.UTF-8', 'LANGUAGE': '', 'DBUS_SESSION_BUS_ADDRESS': 'disabled:',
               'DBUS_SYSTEM_BUS_ADDRESS': 'disabled:'}
        chromium = self._start_chromium(folder, env, log)
        self._stack.callback(chromium.end)
        self.pid = chromium.process.pid
        driver = Process(['chromedriver', '--port=0'], r'started successfully on port (\d+)', env, log)
        self._stack.callback(driver.end)
        options = webdriver.ChromeOptions()
        options.add_experimental_option('debuggerAddress', f'127.0.0.1:{chromium.match.group(1)}')
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
        address = f'http://127.0.0.1:{driver.match.group(1)}'
        self.driver = webdriver.Remote(ChromiumRemoteConnection(address, 'goog', 'chrome', ignore_proxy=True), options=options)
        self.driver.set_script_timeout(WATCHDOG)
        self.driver.set_page_load_timeout(WATCHDOG)
        self.blank = self.front = self.driver.current_window_handle
        self.seen = collections.defaultdict(list)
        self.pictures = itertools.count(1)

    @staticmethod
    def _start_chromium(folder, env, log):
        """With its sandbox, where it can have one: not as root, nor in most containers."""
        command = ['chromium', *FLAGS, f'--user-data-dir={folder}/profile', 'about:blank']
        ready = r'DevTools listening on ws://127\.0\.0\.1:(\d+)/'
        if os.getuid() != 0:
            with contextlib.suppress(ChildProcessError):
                return Process(command, ready, env, log)
        return Process(command[:1] + ['--no-sandbox'] + command[1:], ready, env, log)

    def stop(self):
        with contextlib.suppress(WebDriverException, OSError):
            self.driver.quit()
        self._stack.close()


class Page:
    """A window. What is asked of it brings it to the front first."""

    def __init__(self, browser):
        self.browser = browser
        browser.driver.switch_to.new_window('window')
        self.handle = browser.driver.current_window_handle
        browser.front = self.handle
        self.cdp('Network.enable')
        self.allowed = []

    @property
    def driver(self):
        if self.browser.front != self.handle:
            self.browser.driver.switch_to.window(self.handle)
            self.browser.front = self.handle
        return self.browser.driver

    def cdp(self, command, **parameters):
        return self.driver.execute('executeCdpCommand', {'cmd': command, 'params': parameters})['value']

    def close(self):
        self.driver.close()
        self.browser.driver.switch_to.window(self.browser.blank)
        self.browser.front = self.browser.blank

    def go(self, url):
        self.driver.get(url)

    @property
    def url(self):
        return self.run('return location.href')

    @property
    def fragment(self):
        return self.run('return location.hash')

    def run(self, script, *arguments):
        """What the body of a function makes of the arguments."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, what=None):
        """Until it gives something true, which is returned. An element may go while it is looked at."""
        wait = WebDriverWait(self.driver, WATCHDOG, POLL, (NoSuchElementException, StaleElementReferenceException))
        try:
            return wait.until(lambda _: condition(), what or 'it did not come about')
        except TimeoutException:
            self.picture(f'waited-{os.getpid()}-{next(self.browser.pictures)}')
            raise

    def until(self, expression, *arguments):
        """Until a JavaScript expression of `a`, the arguments, is true; its value."""
        return self.wait(lambda: self.run(f'const a = arguments; return {expression}', *arguments),
                         f'{expression} never held for {arguments}')

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        """The first that is shown, when it is there."""
        return self.wait(lambda: next((found for found in self.all(selector) if found.is_displayed()), None),
                         f'there is no {selector} to be seen')

    def tree(self):
        """What a screen reader is told, in the order of the page: dicts with `role`, `name` and the properties."""
        nodes = []
        for node in self.cdp('Accessibility.getFullAXTree')['nodes']:
            if node['ignored']:
                continue
            properties = {entry['name']: entry['value'].get('value') for entry in node.get('properties', [])}
            nodes.append({'role': node['role']['value'], 'name': node.get('name', {}).get('value', ''),
                          'value': node.get('value', {}).get('value'), 'node': node.get('backendDOMNodeId'), **properties})
        return nodes

    def _named(self, role, name):
        root = self.cdp('DOM.getDocument', depth=0)['root']['nodeId']
        wanted = {'role': role, **({'accessibleName': name} if isinstance(name, str) else {})}
        found = self.cdp('Accessibility.queryAXTree', nodeId=root, **wanted)['nodes']
        for node in found:
            told = node.get('name', {}).get('value', '')
            if node['ignored'] or hasattr(name, 'search') and not name.search(told):
                continue
            element = self._element(node['backendDOMNodeId'])
            if element is not None and element.is_displayed():
                return element
        return None

    def _element(self, number):
        """What the driver can click, of what the browser has a number for."""
        try:
            target = self.cdp('DOM.resolveNode', backendNodeId=number)['object']['objectId']
            self.cdp('Runtime.callFunctionOn', objectId=target, functionDeclaration='function () { window.foundByTest = this }')
        except WebDriverException:
            return None
        return self.run('return window.foundByTest')

    def find(self, role, name=None):
        """What a screen reader calls so, when it is there: a button, a searchbox, a treeitem. A name is told in full,
        or is a compiled expression."""
        return self.wait(lambda: self._named(role, name), f'there is no {role} {name!r}')

    @staticmethod
    def named(expression, flags=0):
        """A name that need not be told in full."""
        return re.compile(expression, flags)

    def has(self, role, name=None):
        return self._named(role, name) is not None

    def actions(self):
        return ActionChains(self.driver, duration=0)

    def press(self, *keys):
        """Keys, to what has the focus."""
        self.actions().send_keys(*keys).perform()

    def chord(self, modifier, key):
        self.actions().key_down(modifier).send_keys(key).key_up(modifier).perform()

    def focused(self):
        return self.driver.switch_to.active_element

    def emulate(self, dark=None, phone=False, width=390, height=844, languages=None, still=False):
        """The system's colours, a small screen that is touched, the languages somebody reads, in order."""
        media = [{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}] if dark is not None else []
        if still:
            media.append({'name': 'prefers-reduced-motion', 'value': 'reduce'})
        if media:
            self.cdp('Emulation.setEmulatedMedia', features=media)
        if phone:
            self.cdp('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=2, mobile=True)
            self.cdp('Emulation.setTouchEmulationEnabled', enabled=True)
        if languages:
            agent = self.run('return navigator.userAgent')
            self.cdp('Emulation.setUserAgentOverride', userAgent=agent, acceptLanguage=languages)
            self.cdp('Emulation.setLocaleOverride', locale=languages.split(',')[0])

    def picture(self, name):
        """Leaves a screenshot where DASHBOARD_PICTURES says."""
        if PICTURES:
            self.driver.save_screenshot(os.path.join(PICTURES, f'{name}.png'))

    def allow(self, pattern):
        """What the console may say in this test, as an expression."""
        self.allowed.append(re.compile(pattern))

    def complaints(self):
        """What the console said since the last call and was not allowed."""
        entries = self.driver.get_log('browser')
        return [entry['message'] for entry in entries if not any(allowed.search(entry['message']) for allowed in self.allowed)]

    def network(self):
        """(method, parameters) of what was seen of the network so far, as the browser's protocol has them."""
        for entry in self.driver.get_log('performance'):
            entry = json.loads(entry['message'])
            method, parameters = entry['message']['method'], entry['message']['params']
            if method.startswith('Network.'):
                self.browser.seen[entry['webview']].append((method.removeprefix('Network.'), parameters))
        return self.browser.seen[self.handle]

    def requests(self, path):
        """(number, URL) of each request so far whose URL has that in it."""
        return [(event['requestId'], event['request']['url']) for method, event in self.network()
                if method == 'requestWillBeSent' and path in event['request']['url']]

    def body(self, number):
        """The answer to a request."""
        answer = self.cdp('Network.getResponseBody', requestId=number)
        return base64.b64decode(answer['body']) if answer['base64Encoded'] else answer['body'].encode()


class TestCase(harness.TestCase):
    """A test with windows of the browser that all tests of the program share."""

    browser = None

    def window(self):
        page = Page(TestCase.browser)
        self._pages.append(page)
        return page

    def setUp(self):
        super().setUp()
        if TestCase.browser is None:
            TestCase.browser = Browser()
            unittest.addModuleCleanup(TestCase.browser.stop)
        self._pages = []

    def tearDown(self):
        """Runs before the servers stop, which a window would complain of."""
        pages, self._pages = self._pages, []
        said = []
        for page in pages:
            with contextlib.suppress(WebDriverException):
                said += page.complaints()
                page.close()
        self.assertEqual(said, [], 'the console of the browser must have nothing to say')


def main():
    """As the harness does it, or says why nothing can be tested here."""
    if reason := missing():
        print(f'1..0 # SKIP {reason}')
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a test that is stopped for its time cleans up
    harness.main()
