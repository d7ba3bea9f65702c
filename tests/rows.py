"""Which rows of the table a context switches on, rebuilt from the text alone: the definitions of lib/vocabulary.h,
written the short and slow way, so that the C program can be held to them. No PyTorch here.

A row is known by its kind and what it stands for: ("character", "a"), ("ngram", "the "), ("phrase", "of t"),
("echo", key, case, "n"), ("column", 12). Its number is its place in the list that `list_rows` makes."""
import re
import string
from collections import Counter

CHARACTERS = string.printable                       # the id of a character is its place here
ID = {character: i for i, character in enumerate(CHARACTERS)}
LONGEST_PHRASE, LONGEST_ECHO_KEY, ECHO_WINDOW, COLUMNS = 40, 40, 1 << 22, 81
# Keys of echoes: the last so many characters; 100 + w: the text of the last w words; 128 more: with a row for each case
ECHO_KEYS = [2, 3, 128 + 4, 128 + 6, 128 + 10, 16, 32, 128 + 101, 128 + 102, 104, 103]
ECHO_ABOVE = 103                                    # the key: the place in the line; what follows is what is above
ECHO_EARLIER = 104                                   # the key: the last word; what followed the time before, if not the last time
ONCE, CHANGED, TWICE, OFTEN = range(4)
WORD = re.compile(r"[A-Za-z0-9_']+")


def word_starts(text):
    return [word.start() for word in WORD.finditer(text)]


def plain(text):
    """As phrases have it: small letters, white space once and as a space, none in front."""
    return re.sub(r"[ \t\n\r\x0b\x0c]+", " ", text).lstrip(" ").lower()


# ---- which strings have a row -------------------------------------------------------------------

def ngram_counts(text, order):
    """How often each string of 2..order characters stands in the text, if it stands there without its first character at
    least twice."""
    counts = Counter(text)
    for length in range(2, order + 1):
        strings = (text[i:i + length] for i in range(len(text) - length + 1))
        counts.update(Counter(s for s in strings if counts[s[1:]] > 1))
    return Counter({s: n for s, n in counts.items() if len(s) > 1})


def phrase_counts(text):
    """The same for what begins at the start of a word and lies in that word and the next: here the shorter string lacks the
    last character."""
    text = plain(text)
    starts = word_starts(text)
    ends = (starts + [len(text)] * 2)[2:]
    counts = Counter()
    for length in range(1, LONGEST_PHRASE + 1):
        strings = (text[start:start + length] for start, end in zip(starts, ends) if start + length <= end)
        counts.update(Counter(s for s in strings if length == 1 or counts[s[:-1]] > 1))
    return counts


def least_count(counts, min_count, max_rows):
    """The least count, from min_count up, at which no more than max_rows strings remain."""
    counts = sorted((n for n in counts if n >= min_count), reverse=True)
    return min_count if len(counts) <= max_rows else counts[max_rows] + 1


def ids(text):
    return [ID[character] for character in text]


def echo_rows(keys):
    return [("echo", key, case, c) for key in keys for case in range(4 if key >= 128 else 1) for c in CHARACTERS]


def list_rows(text, order, min_count=1, max_rows=3000000, kinds=()):
    """All rows of a training text, in the order of their numbers."""
    ngrams = ngram_counts(text, order)
    phrases = phrase_counts(text) if "phrases" in kinds else Counter()
    least = least_count(list(ngrams.values()) + list(phrases.values()), min_count, max_rows)
    rows = [("character", c) for c in CHARACTERS]
    rows += [("ngram", s) for s in sorted((s for s in ngrams if ngrams[s] >= least), key=lambda s: ids(s[::-1]))]
    rows += [("phrase", s) for s in sorted((s for s in phrases if phrases[s] >= least), key=ids)]
    if "echoes" in kinds:
        rows += echo_rows(ECHO_KEYS)
    if "columns" in kinds:
        rows += [("column", n) for n in range(COLUMNS)]
    return rows


# ---- which of them are on -----------------------------------------------------------------------

def ngrams_on(text, number, order):
    """For each place, the rows of what the text before it ends with, the longest first, the last character last."""
    for place in range(len(text)):
        found = []
        for length in range(1, min(order, place) + 1):
            row = number.get(("ngram" if length > 1 else "character", text[place - length:place]))
            if row is None:
                break
            found.insert(0, row)
        yield found


def phrases_on(text, number):
    """For each place, the row of what stands since the last word began, and since the one before it began."""
    whole, so_far, before = plain(text), 0, " "
    starts = []
    for character in text:
        found = [number.get(("phrase", whole[start:so_far])) for start in reversed(starts[-2:]) if so_far - start <= LONGEST_PHRASE]
        yield [row for row in found if row is not None]
        character = plain(character) or " "
        if character == before == " ":
            continue                                # more white space adds nothing
        if WORD.match(character) and not WORD.match(before):
            starts.append(so_far)
        so_far, before = so_far + 1, character


def echo_row(key, heard):
    """The row of a key after which these characters came, as a list; None when there is none."""
    last, before = (heard[-1:] or [None])[0], (heard[-2:-1] or [None])[0]
    if key == ECHO_EARLIER:
        return None if before in (None, last) else ("echo", key, ONCE, before)
    case = ONCE if before is None else CHANGED
    if last is not None and last == before:
        case = OFTEN if heard[-3:-2] == [last] else TWICE
    return None if last is None else ("echo", key, case if key >= 128 else ONCE, last)


def echoes_on(text, number, key):
    """For each place, the row of what followed where the same key stood last, and before, if that is not too far back."""
    places, starts = {}, []
    for place in range(len(text)):
        if place and WORD.match(text[place - 1]) and not (place > 1 and WORD.match(text[place - 2])):
            starts.append(place - 1)
        words = 1 if key == ECHO_EARLIER else key % 128 - 100
        length = key % 128 if words < 0 else place - starts[-words] if len(starts) >= words else 0
        if not 0 < length <= min(place, LONGEST_ECHO_KEY):
            yield []
            continue
        string = text[place - length:place]
        found = places.setdefault(string, [])
        if found and place - found[-1] >= ECHO_WINDOW:
            found.clear()
        row = echo_row(key, [text[there] for there in found])
        yield [number[row]] if row else []
        found[:] = found[-2:] + [place]


def above_on(text, number, key):
    """For each place but the first, the row of the character at the same place of the line above, a newline beyond its end."""
    for place in range(len(text)):
        line = text.rfind("\n", 0, place) + 1
        above = text.rfind("\n", 0, line - 1) + 1 + place - line if line else line
        yield [number[("echo", key, ONCE, text[above] if above < line else "\n")]] if place else []


def columns_on(text, number):
    """For each place but the first, the row of how many characters its line has so far."""
    for place in range(len(text)):
        column = place - (text.rfind("\n", 0, place) + 1)
        yield [number[("column", min(column, COLUMNS - 1))]] if place else []


def rows_on(text, rows, order):
    """For each place of the text the numbers of the rows that the text before it switches on."""
    number = {row: i for i, row in enumerate(rows)}
    kinds = {row[0] for row in rows}
    lists = [ngrams_on(text, number, order)]
    if "phrase" in kinds:
        lists.append(phrases_on(text, number))
    if "echo" in kinds:
        lists += [(above_on if key == ECHO_ABOVE else echoes_on)(text, number, key) for key in ECHO_KEYS]
    if "column" in kinds:
        lists.append(columns_on(text, number))
    return [sum(found, []) for found in zip(*lists)]


# ---- what Adagrad's sums start with -------------------------------------------------------------

def caution(row):
    """As a multiple of --accumulator: see set_accumulators in lib/trainer.c."""
    if row[0] in ("character", "ngram"):
        return 0.1 * 10 ** (0.5 * max(0, len(row[1]) - 3))
    return 0.05 if row[0] == "phrase" else 3.5
