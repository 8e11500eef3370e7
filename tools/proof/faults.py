# The possible faults of a source file, one line each, and the generation of the file with some of
# them compiled in, disabled until one is chosen.
import collections
import random

import source

# region: where; at: the token that is changed, or None for the whole; text: the replacement; what:
# a short description.
Fault = collections.namedtuple('Fault', 'path line region kind at text what before after')

OTHER_WAY = {
    '<': ['<=', '>'], '<=': ['<', '>'], '>': ['>=', '<'], '>=': ['>', '<'],
    '==': ['!='], '!=': ['=='], '&&': ['||'], '||': ['&&'],
    '+': ['-'], '-': ['+'], '*': ['+'], '/': ['*'], '%': ['/'],
    '+=': ['-='], '-=': ['+='], '|=': ['&='], '&=': ['|='], '&': ['|'], '|': ['&'],
    '<<': ['>>'], '>>': ['<<'],
}
TURNED = {'true': 'false', 'false': 'true', 'min': 'max', 'max': 'min', '++': '--', '--': '++',
          'floor': 'ceil', 'lower_bound': 'upper_bound', 'upper_bound': 'lower_bound',
          'any_of': 'all_of', 'all_of': 'any_of'}


def text_of(tokens, begin, end, change=None):
    """Tokens [begin, end) on one line; `change` is a token's index and what stands for it."""
    parts = []
    for at in range(begin, end):
        token = tokens[at]
        if at > begin and tokens[at - 1].end < token.begin:
            parts.append(' ')
        parts.append(change[1] if change and change[0] == at else token.text)
    return ''.join(parts)


def _changes_of_token(tokens, at):
    token = tokens[at]
    before = tokens[at - 1].text if at else ''
    if token.kind == 'mark':
        if token.spaced:
            return [(other, f'{token.text} becomes {other}') for other in OTHER_WAY.get(token.text, [])]
        if token.text == '!':
            return [('', 'a ! is left out')]
        if token.text in TURNED:
            return [(TURNED[token.text], f'{token.text} becomes {TURNED[token.text]}')]
    elif token.kind == 'word' and token.text in TURNED:
        after = tokens[at + 1].text if at + 1 < len(tokens) else ''
        if token.text in ('true', 'false') or (before == '::' and after in ('(', '<')):
            return [(TURNED[token.text], f'{token.text} becomes {TURNED[token.text]}')]
    elif token.kind == 'number' and token.text.isdigit():
        value = int(token.text)
        near = [value + 1] + ([value - 1] if value else [])
        return [(str(other), f'{value} becomes {other}') for other in near]
    return []


def _whole(tokens, region):
    """Faults of a region as a whole: its text then, and the words for it."""
    text = text_of(tokens, region.begin, region.end)
    if region.kind == 'condition':
        return [(f'!({text})', 'condition negated'), (f'(({text}), false)', 'condition never holds'),
                (f'(({text}), true)', 'condition always holds')]
    if region.kind == 'return' and text not in ('{}', 'true', 'false', '0'):
        return [('{}', 'returns {}')]
    if region.kind == 'jump':
        return [('', 'left out')]
    if region.kind == 'statement':
        if text.startswith('KVFS_TRY('):
            inside = text_of(tokens, region.begin + 2, region.end - 1)
            return [('', 'left out'), (f'static_cast<void>({inside})', 'its error is ignored')]
        return [('', 'left out')]
    return []


def faults_of(path, text):
    """All faults that can be made in the file."""
    tokens = source.tokens_of(text)
    found = []
    for region in source.Regions(tokens).found:
        line = text.count('\n', 0, region.first) + 1
        before = text_of(tokens, region.begin, region.end)
        for after, what in _whole(tokens, region):
            found.append(Fault(path, line, region, region.kind, None, after, what, before, after))
        for at in range(region.begin, region.end):
            if any(first <= at < last for first, last in region.inner):
                continue
            for other, what in _changes_of_token(tokens, at):
                after = text_of(tokens, region.begin, region.end, (at, other))
                line_of_token = text.count('\n', 0, tokens[at].begin) + 1
                found.append(Fault(path, line_of_token, region, region.kind, at, other, what, before,
                                   after))
    return found


def draw(files, count, seed):
    """`count` faults of the files (path -> text), no two in overlapping statements."""
    every = [fault for path in sorted(files) for fault in faults_of(path, files[path])]
    random.Random(seed).shuffle(every)
    drawn, taken = [], collections.defaultdict(list)
    for fault in every:
        if len(drawn) == count:
            break
        place = (fault.region.first, fault.region.last)
        if any(place[0] < last and first < place[1] for first, last in taken[fault.path]):
            continue
        taken[fault.path].append(place)
        drawn.append(fault)
    return drawn, len(every)


def _both(fault, number):
    """The region's text with the fault in it, asleep; and whether the `;` behind it is included."""
    asked = f'kvfs_mutant({number})'
    if fault.kind == 'condition':
        return f'({asked} ? static_cast<bool>({fault.after}) : static_cast<bool>({fault.before}))', False
    if fault.kind == 'value':
        return f'({asked} ? ({fault.after}) : ({fault.before}))', False
    if fault.kind == 'return':
        return f'{{ if ({asked}) return {fault.after}; return {fault.before}; }}', True
    if fault.after == '':
        return f'{{ if (!{asked}) {{ {fault.before}; }} }}', True
    return f'{{ if ({asked}) {{ {fault.after}; }} else {{ {fault.before}; }} }}', True


def with_faults(text, numbered):
    """The file with all of `numbered` (number, fault) built in, each line where it was."""
    for number, fault in sorted(numbered, key=lambda it: -it[1].region.first):
        both, with_end = _both(fault, number)
        first, last = fault.region.first, fault.region.last
        if fault.kind == 'return':
            first = text.rindex('return', 0, first)
        if with_end:
            last = text.index(';', last) + 1
        lines = text.count('\n', first, last)
        text = text[:first] + both + '\n' * lines + text[last:]
    return (QUIET if numbered[0][1].path.endswith('.h') else '') + PRELUDE + text


# Files that include a header with faults get no warnings from it.
QUIET = '#pragma GCC system_header\n'

# The common part of files with faults. Reaching a fault leaves a mark in a file that all processes
# of a test share.
PRELUDE = '''#ifndef KVFS_MUTANT_PRELUDE
#define KVFS_MUTANT_PRELUDE
#include <fcntl.h>
#include <sys/mman.h>
#include <cstdlib>
inline const int kvfs_mutant_chosen = [] {
  const char* chosen = std::getenv("KVFS_MUTANT");
  return chosen == nullptr ? -1 : std::atoi(chosen);
}();
inline unsigned char* const kvfs_mutant_reached = [] {
  const char* path = std::getenv("KVFS_MUTANT_REACHED");
  const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
  void* mapped = file < 0 ? MAP_FAILED
                          : ::mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  return mapped == MAP_FAILED ? nullptr : static_cast<unsigned char*>(mapped);
}();
inline bool kvfs_mutant(int number) {
  if (kvfs_mutant_reached != nullptr) kvfs_mutant_reached[number] = 1;
  return number == kvfs_mutant_chosen;
}
#endif
#line 1
'''
