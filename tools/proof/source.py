# C++ as a list of tokens, and the places in it with a statement or an expression that can be
# written twice, once unchanged and once with a fault.
#
# This is not a parser. It relies on clang-format's layout (a binary operator has spaces on both
# sides, a template's bracket has none) and ignores what it does not understand. What it
# misunderstands does not compile, and is then dropped by the caller.
import collections
import re

TOKEN = re.compile(r'''
    (?P<space>\s+)
  | (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<directive>^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
  | (?P<string>(?:u8|L)?R"\((?:.|\n)*?\)"|(?:u8|L)?"(?:\\.|[^"\\\n])*")
  | (?P<char>'(?:\\.|[^'\\\n])+')
  | (?P<number>(?:0[xX][0-9a-fA-F']+|\d[\d']*(?:\.\d+)?(?:e-?\d+)?)[uUlLzZ]*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<mark><<=|>>=|<=>|->\*|\.\.\.|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
''', re.VERBOSE | re.MULTILINE | re.DOTALL)

# begin, end: offsets. spaced: white space on both sides.
Token = collections.namedtuple('Token', 'kind text begin end spaced')
# kind: condition, value (an initialiser), return, statement, jump. Tokens [begin, end) of the list
# are the expression or statement, without its terminator; [first, last) are the offsets to be
# replaced. inner: ranges of tokens that are bodies of lambdas, which have regions of their own.
Region = collections.namedtuple('Region', 'kind begin end first last inner')

OPENING = {'(': ')', '[': ']', '{': '}'}


def tokens_of(text):
    raw = [(m.lastgroup, m.group(), m.start(), m.end()) for m in TOKEN.finditer(text)]
    found = []
    for kind, word, begin, end in raw:
        if kind in ('space', 'comment', 'directive'):
            continue
        before, after = text[begin - 1:begin], text[end:end + 1]
        found.append(Token(kind, word, begin, end, before.isspace() and after.isspace()))
    return found


class Regions:
    """All regions of a file, found by one walk over its tokens."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.partner = self._partners()
        self.found = []
        self._walk_scope(0, len(tokens))

    def _partners(self):
        partner, stack = {}, []
        for at, token in enumerate(self.tokens):
            if token.kind != 'mark':
                continue
            if token.text in OPENING:
                stack.append(at)
            elif token.text in OPENING.values() and stack:
                partner[stack.pop()] = at
        return partner

    def _text(self, at):
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ''

    def _is(self, at, text):
        return self._text(at) == text and self.tokens[at].kind in ('mark', 'word')

    # Namespaces and classes: declarations, searched for the bodies of functions.
    def _walk_scope(self, at, end):
        start = at
        while at < end:
            text = self._text(at)
            if text == '(' or text == '[':
                at = self.partner.get(at, end)
            elif text == ';':
                start = at + 1
            elif text == '{':
                close = self.partner.get(at, end)
                words = [self._text(i) for i in range(start, at)]
                if self._opens_function(words):
                    self._walk_body(at + 1, close)
                    start = close + 1
                elif 'enum' in words or 'concept' in words:
                    start = close + 1
                elif {'namespace', 'class', 'struct', 'union', 'extern'} & set(words):
                    self._walk_scope(at + 1, close)
                    start = close + 1
                at = close
            at += 1

    @staticmethod
    def _opens_function(words):
        if ')' not in words or '=' in words[:words.index(')')]:
            return False
        if words[-1] in (')', 'const', 'override', 'noexcept', 'final', '}'):
            return True
        return '->' in words[words.index(')'):]

    def _walk_body(self, at, end):
        while at < end:
            at = self._statement(at, end)

    def _statement(self, at, end):
        """Takes what begins at token `at`, and returns where the next statement begins."""
        text = self._text(at)
        if text in ('{', '}', ';', 'else', 'do', 'try'):
            return at + 1
        if text in ('if', 'while', 'for', 'switch', 'catch'):
            if self._text(at + 1) == 'constexpr':
                at += 1
            close = self.partner.get(at + 1, end)
            if self._text(at) != 'constexpr':
                self._header(text, at + 2, close)
            return close + 1
        if text in ('case', 'default'):
            while at < end and not self._is(at, ':'):
                at += 1
            return at + 1
        stop, bodies = self._end_of_statement(at, end)
        for first, last in bodies:
            self._walk_body(first, last)
        self._simple_statement(at, stop, bodies)
        return stop + 1

    # The `;` that ends the statement, and the bodies of the lambdas in it.
    def _end_of_statement(self, at, end):
        bodies = []
        depth_end = []
        while at < end:
            if self._is(at, ';') and not depth_end:
                break
            text = self._text(at)
            if self.tokens[at].kind == 'mark' and text in OPENING:
                if text == '{' and self._is_lambda_body(at):
                    close = self.partner.get(at, end)
                    bodies.append((at + 1, close))
                    at = close
                else:
                    depth_end.append(self.partner.get(at, end))
            elif depth_end and at == depth_end[-1]:
                depth_end.pop()
            at += 1
        return at, bodies

    def _is_lambda_body(self, at):
        before = at - 1
        while self._text(before) in ('mutable', 'noexcept'):
            before -= 1
        if self._text(before) == ']':
            return True
        if self._text(before) == ')':
            opening = next((i for i, j in self.partner.items() if j == before), 0)
            return self._text(opening - 1) == ']'
        window = [self._text(i) for i in range(max(0, at - 12), at)]
        return '->' in window and ')' in window and window[window.index('->') - 1] == ')'

    def _split(self, begin, end, mark):
        """Where `mark` stands in [begin, end) outside of all brackets."""
        places = []
        while begin < end:
            if self.tokens[begin].kind == 'mark' and self._text(begin) in OPENING:
                begin = self.partner.get(begin, end)
            elif self._is(begin, mark):
                places.append(begin)
            begin += 1
        return places

    def _add(self, kind, begin, end, bodies=()):
        if begin < end:
            self.found.append(Region(kind, begin, end, self.tokens[begin].begin,
                                     self.tokens[end - 1].end, tuple(bodies)))

    def _header(self, word, begin, end):
        parts = self._split(begin, end, ';')
        if word == 'for':
            if len(parts) == 2:
                self._declaration(begin, parts[0], ())
                self._add('condition', parts[0] + 1, parts[1])
        elif word in ('if', 'while'):
            if parts:
                self._declaration(begin, parts[-1], ())
                begin = parts[-1] + 1
            if not self._split(begin, end, '='):
                self._add('condition', begin, end)

    def _declaration(self, begin, end, bodies):
        equal = self._split(begin, end, '=')
        if equal and self._text(equal[0] + 1) != '{' and not self._split(equal[0], end, ','):
            self._add('value', equal[0] + 1, end, bodies)

    def _simple_statement(self, begin, end, bodies):
        first = self._text(begin)
        if first in ('using', 'static_assert', 'static', 'constexpr', 'assert', 'goto', 'typedef',
                     'struct', 'class', 'enum', 'template', 'friend'):
            return
        if first in ('break', 'continue') or (first == 'return' and end == begin + 1):
            self._add('jump', begin, end)
        elif first == 'return':
            self._add('return', begin + 1, end, bodies)
        elif first == 'KVFS_ASSIGN':
            comma = self._split(begin + 2, end - 1, ',')
            if comma:
                self._add('value', comma[-1] + 1, end - 1, bodies)
        elif self._is_declaration(begin, end):
            self._declaration(begin, end, bodies)
        else:
            self._add('statement', begin, end, bodies)

    def _is_declaration(self, begin, end):
        if self._text(begin) in ('const', 'auto'):
            return True
        if self._text(begin) in ('delete', 'KVFS_TRY', 'throw') or self.tokens[begin].kind == 'mark':
            return False
        equal = self._split(begin, end, '=')
        stop = equal[0] if equal else end
        for at in range(begin, stop - 1):
            # Two names in a row, or a type's `>`, `&` or `*` before a name.
            here, after = self.tokens[at], self.tokens[at + 1]
            if here.text in ('(', '[', '.', '->'):
                return False
            if after.kind == 'word' and (here.kind == 'word' or here.text in ('>', '&', '*')):
                return True
        return False
