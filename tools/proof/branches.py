# Adds up gcov's counts by branch.
#
# A branch is one outcome of a condition in the source. Instances of the same function in several
# objects, of inline functions and templates, count as one. Branches that only the compiler
# generates are not counted:
# - exceptional exits of calls, and the normal exit beside them;
# - those on lines of closing brackets only, and in what is "= default";
# - after KVFS_TRY, KVFS_ASSIGN and ?: whether there is a temporary to destroy: a question that has been
#   answered in the same proportion as one before it on the line.
import collections
import json
import os
import pathlib
import re
import subprocess

# Of a line and a function: how often each outcome occurred.
Key = collections.namedtuple('Key', 'path line function ways')


def _without_exceptions(branches):
    kept = []
    for branch in branches:
        if branch['throw']:
            if kept and kept[-1]['fallthrough']:
                kept.pop()
        else:
            kept.append(branch)
    return [branch['count'] for branch in kept]


# A function's name without template arguments and parameters, the same for all instances.
def _plain(name):
    previous = None
    while previous != name:
        previous, name = name, re.sub(r'<[^<>]*>|\([^()]*\)', '', name)
    return re.sub(r'\[[^\]]*\]', '', name)


def _gcov(place, counters):
    done = subprocess.run(['gcov', '--json-format', '--stdout', '--branch-probabilities',
                           *counters], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b'{')]


def _without_cleanup(counts, text):
    """The counts of the questions that the line of source itself asks."""
    text = text.strip()
    if re.fullmatch(r'[\s})\];,]*', text) or text.endswith('= default;'):
        return []
    if len(counts) % 2 or not re.search(r'KVFS_(TRY|ASSIGN)|\?', text):
        return counts
    kept, seen = [], set()
    for at in range(0, len(counts), 2):
        split = tuple(sorted(counts[at:at + 2]))
        if split not in seen:
            kept += counts[at:at + 2]
        seen.add(split)
    return kept


def _of_tree(path):
    match = re.search(r'(?:^|/)((?:include/kvfs|store|fs)/[\w/]+\.(?:cc|h))$', path)
    return match and 'tests/' not in path and match.group(1)


class Branches:
    """`sources` is the top of the tree."""

    def __init__(self, sources):
        self.sources = pathlib.Path(sources)
        self._lines = {}
        self.taken = {}  # Key -> counts

    def add(self, counts, notes):
        """Adds counters below `counts`; the notes of the objects lie at the same paths in `notes`."""
        for counter in sorted(pathlib.Path(counts).rglob('*.gcda')):
            note = counter.with_suffix('.gcno')
            if not note.exists():
                os.symlink(pathlib.Path(notes) / note.relative_to(counts), note)
            for report in _gcov(counter.parent, [counter.name]):
                self._add_report(report)

    def _add_report(self, report):
        for file in report['files']:
            path = _of_tree(file['file'])
            if not path:
                continue
            names = {it['name']: _plain(it['demangled_name']) for it in file['functions']}
            for line in file['lines']:
                self._add_line(path, line, names)

    def _add_line(self, path, line, names):
        counts = _without_exceptions(line['branches'])
        if len(counts) < 2:
            return
        function = names.get(line.get('function_name'), '')
        key = Key(path, line['line_number'], function, len(counts))
        before = self.taken.get(key, [0] * len(counts))
        self.taken[key] = [a + b for a, b in zip(before, counts)]

    def line(self, path, number):
        if path not in self._lines:
            self._lines[path] = (self.sources / path).read_text().splitlines()
        lines = self._lines[path]
        return lines[number - 1].strip() if number <= len(lines) else ''

    def _counted(self):
        for key, counts in self.taken.items():
            kept = _without_cleanup(counts, self.line(key.path, key.line))
            if kept:
                yield key, kept

    def totals(self):
        """path -> (taken, all)"""
        totals = collections.defaultdict(lambda: (0, 0))
        for key, counts in self._counted():
            taken, every = totals[key.path]
            totals[key.path] = (taken + sum(1 for it in counts if it), every + len(counts))
        return dict(totals)

    def missing(self):
        """(path, line) -> how many branches nobody took."""
        missing = collections.Counter()
        for key, counts in self._counted():
            if 0 in counts:
                missing[key.path, key.line] += sum(1 for it in counts if not it)
        return missing
