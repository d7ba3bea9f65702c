#!/usr/bin/env python3
"""letters_table.py: writes lib/letters_table.h from Unicode's own data (python3's unicodedata).

A character beyond ASCII becomes what a reader would write for it in ASCII, by the first rule that
fits: CHOSEN below; quotes, dashes, spaces and line separators by their category or name; marks that
combine, and what is invisible, vanish; a compatible decomposition (NFKD) whose parts all become
something; the letter in the name of a Latin letter. All others are left out of a text, and are
counted under the name of their script.

    python3 lib/letters_table.py > lib/letters_table.h
"""
import re
import string
import unicodedata

VANISHES = ""  # as opposed to None: left out
MULTIPLE = 0x80  # in the table's strings, bytes from here on stand for several characters
LEFT_OUT = 1

CHOSEN = {
    # what the decompositions and names do not say, or say otherwise than a reader would
    "´": "'", "ˊ": "'", "ˋ": "'", "¨": "\"", "˝": "\"", "¯": "-", "¸": ",", "˜": "~", "ˆ": "^",
    "ˉ": "-", "˗": "-", "ʹ": "'", "ʺ": "\"", "ʻ": "'", "ʼ": "'", "ʽ": "'", "ˈ": "'", "ˌ": ",",
    "ˮ": "\"", "ʿ": "'", "ʾ": "'", "ː": ":", "˙": None, "˘": None, "˚": None, "˛": None, "¡": "!",
    "¿": "?", "¢": "c", "£": "GBP", "¥": "JPY", "€": "EUR", "¦": "|", "©": "(C)", "®": "(R)",
    "−": "-", "±": "+/-", "·": ".", "÷": "/", "×": "x", "µ": "u", "‖": "||", "•": "*", "‣": "*", "⁃": "-",
    "°": "deg", "℀": None, "℁": None, "℅": None, "℆": None, "℡": None,
    "℻": None, "‧": ".", "∙": ".", "⋅": ".", "◦": "*", "●": "*", "○": "*", "▪": "*", "▫": "*",
    "■": "*", "□": "*", "▶": "*", "►": "*", "◆": "*", "◇": "*", "★": "*", "☆": "*", "✓": "*",
    "✔": "*", "⁎": "*", "∗": "*", "⁄": "/", "∕": "/", "∼": "~", "≈": "~", "≤": "<=", "≥": ">=",
    "≠": "!=", "←": "<-", "→": "->", "↔": "<->", "⇐": "<=", "⇒": "=>", "⟨": "<", "⟩": ">", "〈": "<",
    "〉": ">", "❬": "<", "❭": ">", "‹": "'", "›": "'", "❮": "'", "❯": "'", "、": ",", "。": ".",
    "「": "\"", "」": "\"", "『": "\"", "』": "\"", "《": "\"", "》": "\"", "【": "[", "】": "]", "∶": ":",
    "∣": "|", "∖": "\\", "˂": "<", "˃": ">", "⁓": "~", "〜": "~", "‿": "_",
    # letters whose names do not hold the ones that a reader would write
    "Þ": "Th", "þ": "th", "ß": "ss", "ẞ": "SS", "Ŋ": "Ng", "ŋ": "ng", "ĸ": "q", "ƍ": "d", "ƛ": "l",
    "ƾ": "ts", "ƿ": "w", "Ƿ": "W", "Ƨ": "S", "ƨ": "s", "Ƽ": "5", "ƽ": "5", "Ƅ": "b", "ƅ": "b",
    "ǀ": "|", "ǁ": "||", "ǂ": "|", "ǃ": "!", "Ȝ": "Y", "ȝ": "y", "Ɣ": "G", "Ɩ": "I", "ɩ": "i",
    "Ʃ": "Sh", "ʃ": "sh", "Ʒ": "Z", "ʒ": "z", "ƺ": "z", "ƪ": "sh", "Ʊ": "U", "ʊ": "u", "ɣ": "g",
    "Ɛ": "E", "Ƹ": "Z", "ƹ": "z", "ə": "e", "Ə": "E", "ɚ": "e", "ɑ": "a", "Ɑ": "A", "ɸ": "f",
    "ɤ": "o", "Ɂ": "'", "ɂ": "'", "ʔ": "'", "ʕ": "'", "Ȣ": "Ou", "ȣ": "ou", "Ƕ": "Hv", "ƕ": "hv",
    "Ƣ": "Gh", "ƣ": "gh", "ƻ": "2", "ȸ": "db", "ȹ": "qp", "ƫ": "t", "ẟ": "d", "Ỻ": "LL", "ỻ": "ll",
    "Ʀ": "R", "Ʉ": "U", "ʉ": "u", "Ỽ": "V", "ỽ": "v", "Ȿ": "S", "Ɀ": "Z",
}

# Scripts whose letters have no ASCII equivalent here, by the first word of their characters' names.
SCRIPTS = """Greek Cyrillic Armenian Hebrew Arabic Syriac Thaana Devanagari Bengali Gurmukhi
Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul
Ethiopic Cherokee Khmer Mongolian Hiragana Katakana Bopomofo Gothic Coptic Runic Latin""".split()
CHINESE = [(0x2E80, 0x2FDF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)]
CHINESE += [(0x20000, 0x323AF)]
EMOJI = [(0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F000, 0x1FAFF)]


def by_name(name):
    """What the words of a character's name say: its quotes or the letter that it is a form of."""
    if re.search("QUOTATION MARK|PRIME|APOSTROPHE", name) and not re.search("LETTER|TAG", name):
        if "QUADRUPLE" in name:
            return "''''"
        if "TRIPLE" in name:
            return "'''"
        single = re.search("SINGLE|APOSTROPHE", name) or ("PRIME" in name and "DOUBLE" not in name)
        return "'" if single else '"'
    if "WITH SMALL LETTER" in name:
        return None
    latin = re.match("(MODIFIER LETTER|LATIN) (?P<case>CAPITAL|SMALL)? ?(LETTER|LIGATURE)? ?"
                     "(?P<rest>.*)", name)
    if not latin:
        return None
    letter = re.sub(" (WITH|ROTATED) .*", "", latin["rest"]).split(" ")[-1]
    if letter == "ETH":
        letter = "D"
    double = letter in "AE OE AO AU AV AY OO VY DZ LJ NJ TZ UO".split()
    if len(letter) > 1 and not double or not re.fullmatch("[A-Z]+", letter):
        return None
    small_capital = "SMALL CAPITAL" in name
    return letter if latin["case"] == "CAPITAL" and not small_capital else letter.lower()


def ascii_of(character):
    """The ASCII for a character; VANISHES, or None when it is left out."""
    if character < "\x7f":
        return character if character >= " " else None
    if character in CHOSEN:
        return CHOSEN[character]
    category, name = unicodedata.category(character), unicodedata.name(character, "")
    if category in ("Zl", "Zp") or character == "\x85":
        return "\n"
    if category == "Zs":
        return " "
    if category == "Pd":
        return "--" if re.search("EM DASH|HORIZONTAL BAR|TWO-EM|THREE-EM", name) else "-"
    foreign = name.startswith(("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "MUSICAL"))
    if category == "Cf" and not foreign:
        return VANISHES
    if name.startswith(("COMBINING", "VARIATION SELECTOR")):
        return VANISHES
    found = by_name(name)
    if found is not None:
        return found
    parts = unicodedata.normalize("NFKD", character)
    if parts == character or parts.startswith(" ") or "\u0338" in parts:  # a slash: not this
        return None
    parts = [ascii_of(part) for part in parts]
    return None if None in parts else "".join(parts)


def runs(values, gap):
    """[(first code, [value, ...])] for all codes that have a value: gaps of up to `gap` codes are
    bridged, but what vanishes and what does not are apart."""
    found = []
    for code in sorted(values):
        value = values[code]
        if found:
            first, run = found[-1]
            between = code - first - len(run)
            vanishes = run[-1] == VANISHES
            if vanishes == (value == VANISHES) and between <= (0 if vanishes else gap):
                run += [None] * between + [value]
                continue
        found.append((code, [value]))
    return found


def script_of(code):
    if any(first <= code <= last for first, last in CHINESE):
        return "Chinese or Japanese"
    if any(first <= code <= last for first, last in EMOJI):
        return "emoji and symbols"
    first = unicodedata.name(chr(code), "").split(" ")[0].capitalize()
    return first if first in SCRIPTS else None


def quoted(byte):
    if byte >= 0x7F or byte < 0x20:
        return "\\%03o" % byte
    return "\\" + chr(byte) if chr(byte) in '"\\?' else chr(byte)


def c_string(values, several):
    """The lines of a C string with a byte for each value."""
    lines, line = [], ""
    for value in values:
        if value is None:
            part = quoted(LEFT_OUT)
        else:
            part = quoted(ord(value) if len(value) == 1 else MULTIPLE + several.index(value))
        if len(line) + len(part) > 84:
            lines.append(line)
            line = ""
        line += part
    return "\n     ".join('"%s"' % line for line in lines + [line])


def main():
    values = {}
    for code in range(0x80, 0x20000):
        value = ascii_of(chr(code))
        if value is not None:
            values[code] = value
    # What becomes several characters: only where people write it, for a byte has to tell which.
    pages = [range(0x80, 0x2200), range(0xA720, 0xA800), range(0xFB00, 0xFB07)]
    for code in list(values):
        seldom = chr(code) not in CHOSEN and not any(code in page for page in pages)
        if len(values[code]) > 1 and seldom:
            del values[code]
    several = sorted(set(value for value in values.values() if len(value) > 1))
    assert len(several) <= 0x100 - MULTIPLE
    scripts = []
    for code in range(0x80, 0x323B0):
        script = script_of(code)
        if script is None:
            continue
        if scripts and scripts[-1][2] == script:
            scripts[-1][1] = code
        else:
            scripts.append([code, code, script])
    scripts = [entry for entry in scripts if entry[1] - entry[0] >= 8]

    print("/* letters_table.h: made by lib/letters_table.py from Unicode %s; do not edit. */"
          % unicodedata.unidata_version)
    print("\n/* clang-format off */")
    print("\n/* An ASCII character's id + 1; 0: it is none of the 100. */")
    print("static const uint8_t number_of[256] = {")
    numbers = ["%3d," % (string.printable.find(chr(code)) + 1) for code in range(128)]
    for at in range(0, 128, 16):
        print("    " + " ".join(numbers[at:at + 16]))
    print("};")
    print("\n/* What a byte from 0x80 on stands for in the strings below. */")
    print("static const char several[][8] = {")
    line = "   "
    for value in several:
        item = ' "%s",' % "".join(quoted(ord(c)) for c in value)
        if len(line) + len(item) > 96:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")
    print("\n/* Runs of code points that become ASCII, a byte for each: itself, or one of those\n"
          "   above; 1: left out. NULL: the whole run becomes nothing. */\nstatic const struct {\n"
          "    uint32_t first, count;\n    const char *ascii;\n} runs[] = {")
    for first, run in runs(values, 8):
        if run[0] == VANISHES:
            print("    {0x%04x, %d, NULL}," % (first, len(run)))
            continue
        text = c_string(run, several)
        gap = " " if len(text) < 74 else "\n     "
        print("    {0x%04x, %d,%s%s}," % (first, len(run), gap, text))
    print("};")
    print("\n/* Which script other characters belong to. */\nstatic const struct {\n"
          "    uint32_t first, last;\n    const char *name;\n} scripts[] = {")
    for first, last, name in scripts:
        print('    {0x%04x, 0x%04x, "%s"},' % (first, last, name))
    print("};")


main()
