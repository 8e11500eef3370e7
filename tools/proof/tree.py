# A copy of the tree with faults compiled in, and the tests built from it.
import concurrent.futures
import pathlib
import re
import subprocess
import sys

import faults

ERROR = re.compile(r'^(?:\S*/)?((?:store|include)/[^:\s]+):(\d+):\d+: (?:fatal )?error:', re.MULTILINE)


class Tree:
    def __init__(self, top, scratch):
        self.top, self.copy = pathlib.Path(top), pathlib.Path(scratch) / 'tree'
        self.output_base = pathlib.Path(scratch) / 'bazel'

    def _git_files(self):
        listed = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others',
                                 '--exclude-standard'], cwd=self.top, check=True,
                                stdout=subprocess.PIPE)
        names = [name.decode() for name in listed.stdout.split(b'\0') if name]
        return sorted({name for name in names if (self.top / name).is_file()})

    def sources(self, excluded):
        """Path -> text of what faults are made in."""
        chosen = [name for name in self._git_files()
                  if re.fullmatch(r'(store|include)/.*\.(cc|h)', name) and not re.search(excluded, name)]
        return {name: (self.top / name).read_text() for name in chosen}

    def write(self, numbered):
        """Brings the copy to the state of the tree with the faults (number, fault) in it."""
        of_file = {}
        for number, fault in numbered:
            of_file.setdefault(fault.path, []).append((number, fault))
        names = self._git_files()
        if (self.top / 'user.bazelrc').exists():
            names.append('user.bazelrc')
        for name in names:
            content = (self.top / name).read_bytes()
            if name in of_file:
                content = faults.with_faults(content.decode(), of_file[name]).encode()
            self._write_file(name, content, (self.top / name).stat().st_mode)
        self._remove_others(set(names))

    # Unchanged files keep their times, so that they are not rebuilt.
    def _write_file(self, name, content, mode):
        target = self.copy / name
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        target.chmod(mode & 0o777)

    def _remove_others(self, names):
        for path in self.copy.rglob('*'):
            name = str(path.relative_to(self.copy))
            if path.is_file() and not path.is_symlink() and name not in names:
                path.unlink()

    def bazel(self, *arguments, **keywords):
        command = ['bazel', f'--output_base={self.output_base}', *arguments]
        return subprocess.run(command, cwd=self.copy, stdout=subprocess.PIPE, text=True, **keywords)

    def labels(self, query):
        return self.bazel('query', '--noshow_progress', '--ui_event_filters=-info', query,
                          check=True).stdout.split()

    def look_at(self, paths, jobs):
        """Errors as of build() in these files and what they include, in a tenth of the time."""
        def errors_of(path):
            done = subprocess.run(['g++', '-std=c++20', '-fsyntax-only', '-w', '-I.', '-Iinclude', path],
                                  cwd=self.copy, stderr=subprocess.PIPE, text=True)
            return {(name, int(line)) for name, line in ERROR.findall(done.stderr)}
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            return set().union(*pool.map(errors_of, paths))

    def build(self, labels, jobs):
        """The compiler's errors as (path, line); none when all is built."""
        done = self.bazel('build', '--config=ci', '--per_file_copt=^store/@-w,-O1', '--keep_going',
                          '--noshow_progress',
                          '--show_result=0', '--experimental_convenience_symlinks=ignore',
                          f'--jobs={jobs}', f'--local_cpu_resources={jobs}', *labels,
                          stderr=subprocess.STDOUT)
        if done.returncode == 0:
            return set()
        errors = {(path, int(line)) for path, line in ERROR.findall(done.stdout)}
        if not errors:
            sys.exit(done.stdout + '\nmutate: the copy does not build, and no fault is to blame')
        return errors

    def binaries(self):
        where = self.bazel('info', '--config=ci', 'bazel-bin', stderr=subprocess.DEVNULL, check=True)
        return pathlib.Path(where.stdout.strip())


def line_in_copy(text, fault):
    """The line on which the fault is built in."""
    first = fault.region.first
    if fault.kind == 'return':
        first = text.rindex('return', 0, first)
    return text.count('\n', 0, first) + 1


def build_with(tree, sources, drawn, labels, jobs, say):
    """Builds the copy with as many of the faults as compile: a list of (number, fault)."""
    numbered = list(enumerate(drawn))
    compiled = sorted(path for path in sources if path.endswith('.cc'))
    looks = 0
    while True:
        tree.write(numbered)
        errors = tree.look_at(compiled, jobs) if looks == 0 else set()
        looks += 1
        errors = errors or tree.build(labels, jobs)
        if not errors:
            return numbered
        bad = {number for number, fault in numbered
               if (fault.path, line_in_copy(sources[fault.path], fault)) in errors}
        if not bad:
            sys.exit('mutate: the copy does not build: ' +
                     ', '.join(f'{path}:{line}' for path, line in sorted(errors)))
        say(f'{len(bad)} do not compile and are left out: ' +
            ', '.join(f'{f.path}:{f.line} {f.what}' for n, f in numbered if n in bad))
        numbered = [it for it in numbered if it[0] not in bad]
