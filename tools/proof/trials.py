# Runs each test case alone once without a fault, for its duration and the faults that it reaches;
# then each fault with the cases that reach it.
import collections
import concurrent.futures
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time

# reached: numbers of faults.
Case = collections.namedtuple('Case', 'label name seconds passed reached')

MOST_FAULTS = 65536
MOST_MEMORY = 6 << 30
QUICK_SECONDS = 0.7


class Runner:
    """Runs test binaries as Bazel does: with their runfiles, and a directory of their own."""

    def __init__(self, binaries, scratch, mounting):
        self.binaries, self.scratch, self.mounting = binaries, pathlib.Path(scratch), set(mounting)

    def _path(self, label):
        return self.binaries / label[2:].replace(':', '/')

    def names(self, label):
        """The test cases of a binary."""
        _, _, output = self.run(label, ['--gtest_list_tests'], 120)
        suite, found = '', []
        for line in output.splitlines():
            line = re.sub(r'\s*#.*', '', line)
            if re.fullmatch(r'[\w/]+\.', line):
                suite = line
            elif re.fullmatch(r'  [\w/]+', line):
                found.append(suite + line.strip())
        return found

    def run(self, label, arguments, timeout, **more):
        """(status, seconds, output); the status is None when time was up."""
        place = pathlib.Path(tempfile.mkdtemp(prefix='case-', dir=self.scratch))
        try:
            return self._run_in(place, label, arguments, timeout, more)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _run_in(self, place, label, arguments, timeout, more):
        runfiles = pathlib.Path(f'{self._path(label)}.runfiles')
        environment = {'PATH': os.environ['PATH'], 'TEST_SRCDIR': str(runfiles),
                       'RUNFILES_DIR': str(runfiles), 'TEST_WORKSPACE': 'kvfs',
                       'TEST_TMPDIR': str(place), **more}
        command = [str(self._path(label)), *arguments]
        if label in self.mounting:
            # Mounts and daemons left behind disappear with their namespaces.
            command = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc',
                       '--propagation', 'private', *command]
        begun = time.monotonic()
        with open(place / 'output', 'w+b') as output:
            process = subprocess.Popen(command, cwd=runfiles / 'kvfs', env=environment,
                                       stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True,
                                       preexec_fn=_limit)
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                status = None
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
            output.seek(0)
            text = output.read().decode(errors='replace')
        return status, time.monotonic() - begun, text


def _limit():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


def measure(runner, label, name):
    """Runs one case without a fault."""
    marks = runner.scratch / f'reached-{label[2:].replace("/", "_").replace(":", "_")}-{name.replace("/", "_")}'
    marks.write_bytes(bytes(MOST_FAULTS))
    try:
        status, seconds, _ = runner.run(label, [f'--gtest_filter={name}'], 1800,
                                        KVFS_MUTANT_REACHED=str(marks))
        reached = [number for number, mark in enumerate(marks.read_bytes()) if mark]
    finally:
        marks.unlink()
    return Case(label, name, seconds, status == 0, reached)


def measure_all(runner, labels, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        names = [(label, name) for label, found in zip(labels, pool.map(runner.names, labels))
                 for name in found]
        return list(pool.map(lambda it: measure(runner, *it), names))


def steps_for(cases):
    """Lists of cases of one binary each, to be run in turn: quick ones together and first."""
    quick = collections.defaultdict(list)
    for case in cases:
        if case.seconds < QUICK_SECONDS:
            quick[case.label].append(case)
    together = sorted(quick.values(), key=lambda step: sum(case.seconds for case in step))
    slow = sorted((case for case in cases if case.seconds >= QUICK_SECONDS),
                  key=lambda case: case.seconds)
    return together + [[case] for case in slow]


# Whether the same case without the fault ends in that time now.
def _ends_without(runner, step, seconds):
    names = ':'.join(case.name for case in step)
    status, _, _ = runner.run(step[0].label, [f'--gtest_filter={names}'], seconds)
    return status is not None


def try_fault(runner, number, cases):
    """What caught the fault, or None."""
    for step in steps_for(cases):
        allowed = 30 + 15 * sum(case.seconds for case in step)
        names = ':'.join(case.name for case in step)
        arguments = [f'--gtest_filter={names}', '--gtest_fail_fast']
        status, _, output = runner.run(step[0].label, arguments, allowed, KVFS_MUTANT=str(number))
        if status is None and _ends_without(runner, step, allowed / 5):
            return f'{step[0].label}: not ended after {allowed:.0f} s'
        if status is None:
            # The machine is busier than before: try once more, with more time.
            status, _, output = runner.run(step[0].label, arguments, 10 * allowed,
                                           KVFS_MUTANT=str(number))
            if status is None:
                return f'{step[0].label}: not ended after {10 * allowed:.0f} s'
        if status != 0:
            failed = re.findall(r'\[  FAILED  \] ([\w/.]+)', output) or re.findall(
                r'\[ RUN      \] ([\w/.]+)', output)[-1:]
            return f'{step[0].label} {failed[0] if failed else ""} (status {status})'
    return None
