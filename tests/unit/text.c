/* The text reader: what each character becomes, in each encoding, wherever the bytes are cut
   between two reads; what is no text; what is said of it. */
#include "../../lib/text.h"
#include "../../lib/characters.h"
#include "../../lib/fail.h"
#include "../../lib/utf8.h"
#include "../check.h"
#include "../child.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const char path[] = "build/test/text";
enum { BUFFER = 1 << 20 }; /* as lib/text.c reads */

/* What is counted: characters, line ends that became LF, what became ASCII, what was left out,
   bytes of Windows-1252. */
enum { READ, LINE_ENDS, BECAME, LEFT_OUT, WINDOWS, COUNTS };

/* What is read (one NUL, or up to the NUL), what must come of it, and what must be counted. */
typedef struct {
    const char *bytes, *becomes;
    size_t counted[COUNTS];
} Item;

/* Characters beyond ASCII and what they become: quotes, dashes, spaces, signs; what vanishes;
   letters. */
static const char *const replaced[][2] = {
    {"\u2018", "'"},      {"\u2019", "'"},   {"\u201a", "'"},   {"\u201b", "'"},  {"\u201c", "\""},
    {"\u201d", "\""},     {"\u201e", "\""},  {"\u201f", "\""},  {"\u00ab", "\""}, {"\u00bb", "\""},
    {"\u2039", "'"},      {"\u203a", "'"},   {"\u00b4", "'"},   {"\u2032", "'"},  {"\u2033", "\""},
    {"\u2034", "\'\'\'"}, {"\u02bc", "'"},   {"\u300c", "\""},  {"\u2010", "-"},  {"\u2011", "-"},
    {"\u2012", "-"},      {"\u2013", "-"},   {"\u2014", "--"},  {"\u2015", "--"}, {"\u2212", "-"},
    {"\u2026", "..."},    {"\u00a0", " "},   {"\u202f", " "},   {"\u2007", " "},  {"\u2000", " "},
    {"\u200a", " "},      {"\u205f", " "},   {"\u3000", " "},   {"\u2022", "*"},  {"\u00d7", "x"},
    {"\u200b", ""},       {"\u00ad", ""},    {"\u0301", ""},    {"\ufe0f", ""},   {"\u00e9", "e"},
    {"\u00fc", "u"},      {"\u00df", "ss"},  {"\u00e6", "ae"},  {"\u00c6", "AE"}, {"\u00f8", "o"},
    {"\u0142", "l"},      {"\ufb01", "fi"},  {"\ufb03", "ffi"}, {"\u0153", "oe"}, {"\u00de", "Th"},
    {"\u00f0", "d"},      {"\u0111", "d"},   {"\u0131", "i"},   {"\u0130", "I"},  {"\u0159", "r"},
    {"\u0171", "u"},      {"\u1e9e", "SS"},  {"\u01c5", "Dz"},  {"\u0259", "e"},  {"\u1ea5", "a"},
    {"\u01e2", "AE"},     {"\u0149", "'n"},  {"\u00aa", "a"},   {"\uff21", "A"},  {"\uff5e", "~"},
    {"\U0001d49c", "A"},  {"\u20ac", "EUR"}, {"\u00bd", "1/2"}, {"\u2122", "TM"}};

/* Others: a mark; line ends; what is kept; nothing in ASCII; no UTF-8. */
static const Item others[] = {
    {"\ufeff", "", {1, 0, 0, 0, 0}},       {"e\u0301", "e", {2, 0, 1, 0, 0}},
    {"\r\n", "\n", {2, 1, 0, 0, 0}},       {"\r\r\n", "\n\n", {3, 2, 0, 0, 0}},
    {"\n\r\n", "\n\n", {3, 1, 0, 0, 0}},   {"\r", "\n", {1, 1, 0, 0, 0}},
    {"\rx\n", "\nx\n", {3, 1, 0, 0, 0}},   {"\xc2\x85", "\n", {1, 1, 0, 0, 0}},
    {"\u2028", "\n", {1, 1, 0, 0, 0}},     {"\u2029", "\n", {1, 1, 0, 0, 0}},
    {" \t\n", " \t\n", {3, 0, 0, 0, 0}},   {"\x0b\x0c", "\x0b\x0c", {2, 0, 0, 0, 0}},
    {"a", "a", {1, 0, 0, 0, 0}},           {"\0", "", {1, 0, 0, 1, 0}},
    {"\x7f", "", {1, 0, 0, 1, 0}},         {"\x1b[", "[", {2, 0, 0, 1, 0}},
    {"\u0436", "", {1, 0, 0, 1, 0}},       {"\u4e2d", "", {1, 0, 0, 1, 0}},
    {"\U0001f600", "", {1, 0, 0, 1, 0}},   {"\xc2\x80", "", {1, 0, 0, 1, 0}},
    {"\ufffd", "", {1, 0, 0, 1, 0}},       {"\x92s", "\'s", {2, 0, 1, 0, 1}},
    {"\xe9", "e", {1, 0, 1, 0, 1}},        {"\x80", "EUR", {1, 0, 1, 0, 1}},
    {"\xdfz", "ssz", {2, 0, 1, 0, 1}},     {"\xe2\x80z", "aEURz", {3, 0, 2, 0, 2}},
    {"\xe2z", "az", {2, 0, 1, 0, 1}},      {"\xc0\x80", "AEUR", {2, 0, 2, 0, 2}},
    {"\xe2\xe2z", "aaz", {3, 0, 2, 0, 2}}, {"\x81", "", {1, 0, 0, 1, 1}},
    {"\xe2\r\n", "a\n", {3, 1, 1, 0, 1}},  {"\xe2\u2019", "a\'", {2, 0, 2, 0, 1}}};
enum {
    REPLACED = sizeof replaced / sizeof *replaced,
    ITEMS = REPLACED + sizeof others / sizeof *others
};
static const Item crlf = {"\r\n", "\n", {2, 1, 0, 0, 0}}, quote = {"\u2019", "'", {1, 0, 1, 0, 0}},
                  guillemet = {"\u00ab", "\"", {1, 0, 1, 0, 0}},
                  cyrillic = {"\u0436", "", {1, 0, 0, 1, 0}},
                  emoji = {"\U0001f600", "", {1, 0, 0, 1, 0}},
                  accent = {"\xe9", "e", {1, 0, 1, 0, 1}};

static Item item(size_t i) {
    if (i >= REPLACED) return others[i - REPLACED];
    return (Item){replaced[i][0], replaced[i][1], {1, 0, 1, 0, 0}};
}

/* Bytes and what must come of them, in all. */
typedef struct {
    unsigned char bytes[2 * BUFFER];
    char becomes[2 * BUFFER];
    size_t size, length, first_offset;
    size_t counted[COUNTS];
} Sample;

static void add(Sample *sample, Item item) {
    size_t length = strlen(item.becomes), size = strlen(item.bytes) + !*item.bytes;
    memcpy(sample->bytes + sample->size, item.bytes, size);
    memcpy(sample->becomes + sample->length, item.becomes, length);
    if (!sample->counted[LEFT_OUT] && item.counted[LEFT_OUT]) sample->first_offset = sample->size;
    sample->size += size;
    sample->length += length;
    for (int c = 0; c < COUNTS; c++) sample->counted[c] += item.counted[c];
}

static void add_letters(Sample *sample, size_t count) {
    memset(sample->bytes + sample->size, 'm', count);
    memset(sample->becomes + sample->length, 'm', count);
    sample->size += count;
    sample->length += count;
    sample->counted[READ] += count;
}

/* A sample that begins with so many letters: too much left out of too little would not be taken for
   text. */
static Sample *letters(size_t count) {
    static Sample sample;
    sample.size = sample.length = sample.first_offset = 0;
    memset(sample.counted, 0, sizeof sample.counted);
    add_letters(&sample, count);
    return &sample;
}

static Sample *with_many(size_t count, Item item, size_t times) {
    Sample *sample = letters(count);
    for (size_t i = 0; i < times; i++) add(sample, item);
    return sample;
}

static Sample *with(size_t count, Item item) { return with_many(count, item, 1); }

static Sample *with_items(size_t count) {
    Sample *sample = letters(count);
    for (size_t i = 0; i < ITEMS; i++) add(sample, item(i));
    return sample;
}

static void put(const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) exit(9);
}

/* Did the reader make of the sample what it must? Frees the text. */
static bool as_expected(Text *text, const Sample *sample) {
    const size_t counted[] = {text->characters, text->line_ends, text->replaced, text->left_out,
                              text->windows_bytes};
    bool same = text->length == sample->length && text->bytes == sample->size &&
                !memcmp(counted, sample->counted, sizeof counted);
    for (size_t i = 0; same && i < text->length; i++)
        same = character_of(text->ids[i]) == sample->becomes[i];
    if (text->left_out) same &= text->first_offset == sample->first_offset;
    size_t named = text->most[0].count;
    for (int i = 1; i < NAMED; named += text->most[i++].count)
        same &= text->most[i].count <= text->most[i - 1].count;
    same &= named <= text->left_out && (named == text->left_out || text->most[NAMED - 1].count > 0);
    free(text->ids);
    return same;
}

static bool read_from_file(const Sample *sample) {
    put(sample->bytes, sample->size);
    Text text = text_read(path, false);
    return as_expected(&text, sample);
}

/* Through standard input, which gives the first `first` bytes at the first read and then `piece` at
   each: a datagram is never joined with the next, and one of no bytes is the end. */
static bool read_in_pieces(const Sample *sample, size_t first, size_t piece) {
    int ends[2], status = 1;
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends)) return false;
    pid_t child = fork();
    if (child == 0) {
        for (size_t at = 0, size = first; at < sample->size; at += size, size = piece) {
            if (size > sample->size - at) size = sample->size - at;
            if (size && send(ends[1], sample->bytes + at, size, 0) < 0) _exit(1);
        }
        _exit(send(ends[1], "", 0, 0) < 0);
    }
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
    Text text = text_read("-", false);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 &&
           as_expected(&text, sample);
}

/* ---- what becomes of what ---- */

/* Every character up to U+1FFFF, each behind enough letters, becomes what ascii_for says. */
static void test_every_character(void) {
    size_t wrong = 0, known = 0;
    for (unsigned code = 0x80; code < 0x20000;) {
        Sample *sample = letters(0);
        for (unsigned end = code + 16384; code < end && code < 0x20000; code++) {
            char bytes[5], one[2];
            if (code >= 0xd800 && code < 0xe000) continue; /* surrogates */
            const char *ascii = ascii_for(code, one);
            bool line_end = ascii && *ascii == '\n';
            known += ascii != NULL;
            utf8_write(code, bytes);
            add_letters(sample, 30);
            add(sample, (Item){bytes,
                               ascii ? ascii : "",
                               {1, line_end, ascii && !line_end && code != 0xfeff, !ascii, 0}});
        }
        wrong += !read_from_file(sample);
    }
    check(wrong == 0,
          "of the characters U+0080 to U+1FFFF %zu become ASCII, all others are left out", known);
}

/* The letters of Latin-1, Latin Extended A and B, Latin Extended Additional, ligatures; spaces;
   marks that combine: what each character of a block becomes; NULL: letters, at least one and
   nothing else. */
static const struct {
    unsigned first, last;
    const char *becomes;
} blocks[] = {{0xc0, 0xff, NULL},     {0x100, 0x24f, NULL},  {0x1e00, 0x1eff, NULL},
              {0xfb00, 0xfb06, NULL}, {0x2000, 0x200a, " "}, {0x202f, 0x202f, " "},
              {0x205f, 0x205f, " "},  {0x3000, 0x3000, " "}, {0x1680, 0x1680, " "},
              {0xa0, 0xa0, " "},      {0x300, 0x36f, ""},    {0x1ab0, 0x1ace, ""},
              {0x1dc0, 0x1dff, ""},   {0x20d0, 0x20f0, ""},  {0xfe20, 0xfe2f, ""}};

static bool are_letters(const char *ascii) {
    return *ascii && !ascii[strspn(ascii, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ2")];
}

static void test_blocks(void) {
    char one[2];
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        size_t wrong = 0;
        for (unsigned code = blocks[i].first; code <= blocks[i].last; code++) {
            const char *ascii = ascii_for(code, one);
            if (code == 0xd7 || code == 0xf7) continue; /* signs: times, divided by */
            bool marks = (code >= 0x1bb && code <= 0x1c3) || code == 0x149 || code == 0x241 ||
                         code == 0x242; /* clicks, digits, stops */
            if (blocks[i].becomes)
                wrong += !ascii || strcmp(ascii, blocks[i].becomes);
            else
                wrong += !ascii || !*ascii || (!marks && !are_letters(ascii));
        }
        check(wrong == 0, "each character from U+%04X to U+%04X becomes \"%s\"", blocks[i].first,
              blocks[i].last, blocks[i].becomes ? blocks[i].becomes : "letters");
    }
    size_t wrong = 0;
    for (unsigned code = 0x21; code < 0x7f; code++) {
        const char *ascii = ascii_for(0xff00 + code - 0x20, one);
        wrong += !ascii || strcmp(ascii, (char[]){(char)code, 0});
    }
    check(wrong == 0, "each full-width form becomes its half");
    check(!ascii_for(0x436, one) && !ascii_for(0x4e2d, one) && !ascii_for(0x1f600, one) &&
              !ascii_for(0x10ffff, one) && !ascii_for(0x80, one),
          "other scripts, emoji and the last code point become nothing");
    static const struct {
        uint32_t code;
        const char *name;
    } scripts[] = {{0x436, "Cyrillic"}, {0x3b1, "Greek"}, {0x4e2d, "Chinese or Japanese"},
                   {0x5d0, "Hebrew"},   {0x3e1, "Greek"}, {0x1f600, "emoji and symbols"},
                   {0x3e2, "Coptic"},   {0x7, NULL},      {0x400, "Cyrillic"},
                   {0x530, NULL},       {0x2b0, NULL},    {0x52f, "Cyrillic"}};
    wrong = 0;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const char *name = script_of(scripts[i].code), *expected = scripts[i].name;
        wrong += expected ? !name || strcmp(name, expected) : name != NULL;
    }
    check(wrong == 0, "scripts have their names, from their first letter to their last");
}

/* Each byte that Windows-1252 and Latin-1 have apart, and where nothing is. */
static void test_windows(void) {
    static const char *const becomes[32] = {
        "EUR", NULL, "'", "f",  "\"", "...", NULL, NULL, "^", NULL, "S", "'", "OE", NULL, "Z", NULL,
        NULL,  "'",  "'", "\"", "\"", "*",   "-",  "--", "~", "TM", "s", "'", "oe", NULL, "z", "Y"};
    static const uint32_t unlike[] = {0x81, 0x2020, 0x2021, 0x2030, 0x8d, 0x8f, 0x90, 0x9d};
    size_t wrong = 0, nothing = 0;
    for (int byte = 0x80; byte < 0xa0; byte++) {
        const char *ascii = becomes[byte - 0x80];
        wrong += !read_from_file(with(
            100,
            (Item){(char[]){(char)byte, 0}, ascii ? ascii : "", {1, 0, ascii != NULL, !ascii, 1}}));
        if (ascii) continue;
        Text text = text_read(path, false);
        wrong += text.most[0].code != unlike[nothing++] || text.first_code != text.most[0].code;
        free(text.ids);
    }
    wrong += !read_from_file(with(100, (Item){"\xa0", " ", {1, 0, 1, 0, 1}})); /* behind them */
    check(wrong == 0 && nothing == sizeof unlike / sizeof *unlike,
          "each byte of Windows-1252 is its character");
}

static void test_items(void) {
    size_t wrong = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        bool at_end = read_from_file(with(100, item(i)));
        Sample *sample = with(50, item(i));
        add_letters(sample, 50);
        bool within = read_from_file(sample);
        if (!at_end || !within) printf("note item %zu: %s\n", i, item(i).bytes);
        wrong += !at_end || !within;
    }
    check(wrong == 0, "letters, quotes, dashes, spaces, line ends, what is no UTF-8, control "
                      "characters; within a text and at its end");
    wrong = 0;
    static const char *const cuts[] = {"\xe2\x80", "\xe2", "\xc2", "\xc3", "\xf0\x9f\x98"};
    for (size_t i = 0; i < 2 * sizeof cuts / sizeof *cuts; i++) {
        Sample *sample = with(100, i % 2 ? guillemet : quote); /* of two bytes, of three */
        add(sample, (Item){cuts[i / 2], "", {1, 0, 0, 1, 0}});
        wrong += !read_from_file(sample);
    }
    check(wrong == 0, "of a text that ends within a character of UTF-8 this is left out");
    char *plain = text_argument("it", "a\ufeff\u2019\r\n\xe9z"), *empty = text_argument("it", "");
    check(!strcmp(plain, "a'\nez") && !strcmp(empty, ""), "an argument is read by the same rules");
    free(plain);
    free(empty);
}

/* ---- encodings ---- */

/* Is a text of these bytes read, and its encoding called so? NULL: it needs no name. */
static bool called(const void *bytes, size_t size, const char *name) {
    put(bytes, size);
    Text text = text_read(path, false);
    free(text.ids);
    return name ? text.encoding && !strcmp(text.encoding, name) : !text.encoding;
}

static void put_unit(Sample *sample, unsigned unit, bool big) {
    sample->bytes[sample->size + !big] = (unsigned char)(unit >> 8);
    sample->bytes[sample->size + big] = (unsigned char)unit;
    sample->size += 2;
}

/* Makes UTF-16 of the sample's UTF-8; is it read as the same, and named? */
static bool read_as_utf_16(Sample *sample, bool big) {
    static unsigned char bytes[2 * BUFFER];
    size_t end = sample->size, first = sample->first_offset;
    uint32_t code;
    memcpy(bytes, sample->bytes, end);
    sample->size = 0;
    for (size_t i = 0; i < end;) {
        if (i == first) sample->first_offset = sample->size;
        i += utf8_read(bytes + i, end - i, &code);
        if (code >= 0x10000) put_unit(sample, 0xd800 + ((code - 0x10000) >> 10), big);
        put_unit(sample, code < 0x10000 ? code : 0xdc00 + (code & 0x3ff), big);
    }
    const char *name = big ? "UTF-16, big-endian" : "UTF-16, little-endian";
    return called(sample->bytes, sample->size, name) && read_from_file(sample);
}

static void test_encodings(void) {
    check(called("\xef\xbb\xbf text", 8, "UTF-8 with a byte order mark") &&
              called("text", 4, NULL) && called("\xef\xbb and more of it", 17, NULL),
          "UTF-8 is recognised by its mark");
    check(called("\xfe\xff\x20\x19\0t", 6, "UTF-16, big-endian") &&
              called("\xff\xfe\x19\x20t\0", 6, "UTF-16, little-endian"),
          "UTF-16 is recognised by its mark, whatever its first character is");
    for (int kind = 0; kind < 4; kind++) {
        size_t wrong = 0;
        bool big = kind & 1, mark = kind & 2;
        for (size_t before = BUFFER / 2 - 300; before < BUFFER / 2; before += big ? 7 : 11) {
            Sample *sample = letters(0);
            if (mark) add(sample, others[0]);
            add_letters(sample, before);
            for (size_t i = 0; i < ITEMS; i++)
                if (!item(i).counted[WINDOWS]) add(sample, item(i));
            wrong += !read_as_utf_16(sample, big);
        }
        check(wrong == 0, "UTF-16, %s-endian, %s a byte order mark, wherever the buffer ends",
              big ? "big" : "little", mark ? "with" : "without");
    }
    check(read_as_utf_16(with(20, quote), false) && read_as_utf_16(with(20, quote), true),
          "a line of UTF-16");
}

/* ---- cuts ---- */

static void test_cuts(void) {
    enum { BEFORE = 1000 };
    size_t size = with_items(0)->size, wrong = 0;
    for (size_t before = 0; before <= size; before++)
        wrong += !read_from_file(with_items(BUFFER - before));
    check(wrong == 0, "the end of the reader's buffer at each of %zu places changes nothing",
          size + 1);
    const Sample *sample = with_items(BEFORE);
    wrong = 0;
    for (size_t cut = BEFORE; cut <= sample->size; cut++)
        wrong += !read_in_pieces(sample, cut, sample->size);
    check(wrong == 0, "standard input that comes in two parts, cut at each of %zu places",
          sample->size - BEFORE + 1);
    for (size_t piece = 1; piece <= 5; piece++)
        check(read_in_pieces(sample, 1, piece), "standard input that comes in pieces of %zu",
              piece);
    static const Item ends[] = {
        {"\r", "\n", {1, 1, 0, 0, 0}},      {"\r\n", "\n", {2, 1, 0, 0, 0}},
        {"\xe2", "a", {1, 0, 1, 0, 1}},     {"\xe2\x80", "aEUR", {2, 0, 2, 0, 2}},
        {"\xc2", "A", {1, 0, 1, 0, 1}},     {"\u00a0", " ", {1, 0, 1, 0, 0}},
        {"\u2026", "...", {1, 0, 1, 0, 0}}, {"\U0001f600", "", {1, 0, 0, 1, 0}}};
    wrong = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (size_t piece = 1; piece <= 4; piece++)
            wrong += !read_in_pieces(with(100, ends[i]), 100, piece);
        wrong += !read_from_file(with(BUFFER - 1, ends[i]));
    }
    check(wrong == 0, "a text that ends within a sequence, in pieces and at the end of the buffer");
}

/* ---- what is said, and what is refused ---- */

static void read_and_notice(const void *strict) {
    Text text = text_read(path, *(const bool *)strict);
    text_notice(&text, path);
}

/* Does a program that reads these bytes end with this status, and does its one line begin so? "":
   it says nothing. */
static bool says(int status, const void *bytes, size_t size, bool strict, const char *begin) {
    char wanted[2048] = "";
    put(bytes, size);
    Child child = in_child(read_and_notice, &strict);
    if (*begin) snprintf(wanted, sizeof wanted, "test_text: %s: %s", path, begin);
    return ended(&child, status, *begin ? wanted : NULL) &&
           !strncmp(child.said, wanted, strlen(wanted));
}

static void notices(const Sample *sample, const char *line, const char *what) {
    check(says(0, sample->bytes, sample->size, false, line), "what is said of %s", what);
}

#define UCONV "; uconv -x 'Any-Latin; Latin-ASCII' spells them in Latin letters"
#define BEYOND " beyond ASCII (letters, quotes, dashes, spaces) became ASCII"

static void test_notice(void) {
    notices(letters(100), "", "printable ASCII: nothing");
    notices(with_many(100, crlf, 2), "2 line ends (such as CR LF) became LF\n", "CR LF");
    notices(with_many(100, quote, 3), "3 characters" BEYOND "\n", "look-alikes");
    notices(with_many(100, cyrillic, 2),
            "left out 2 characters (nothing in ASCII), Cyrillic: \u0436 2 times" UCONV "\n",
            "characters left out: themselves, their script, what to do");
    notices(with(100, emoji),
            "left out 1 character (nothing in ASCII), emoji and symbols: \U0001f600 1 time\n",
            "emoji");
    Sample *sample = letters(20000);
    for (int i = 0; i < 1234; i++) {
        add(sample, crlf);
        add(sample, quote);
    }
    add(sample, accent);
    for (int i = 0; i < 1500; i++) add(sample, cyrillic);
    notices(sample,
            "read 1 byte (not UTF-8) as Windows-1252; 1,234 line ends (such as CR LF) became LF; "
            "1,235 characters" BEYOND "; left out 1,500 characters (nothing in ASCII), Cyrillic: "
            "\u0436 1,500 times" UCONV "\n",
            "all four, in one line");
    sample = letters(200);
    for (char byte = 1; byte <= 9; byte++)
        if (byte != '\t') add(sample, (Item){(char[]){byte, 0}, "", {1, 0, 0, 1, 0}});
    add(sample, (Item){"\x7f", "", {1, 0, 0, 1, 0}});
    notices(sample,
            "left out 9 characters (nothing in ASCII), U+0001 1 time, U+0002 1, U+0003 1, U+0004 "
            "1, U+0005 1, U+0006 1, U+0007 1, U+0008 1\n",
            "many kinds of characters, of which eight are named");
}

/* What these bytes, so many times, are refused with. */
static const struct {
    const char *bytes;
    size_t size, times;
    const char *line;
} refused[] = {
    {"", 0, 1, "is empty; there is nothing to learn from\n"},
    {"\xef\xbb\xbf", 3, 1, "is empty; there is nothing to learn from\n"},
    {"\x1f\x8b\x08\0\0\0\0\0\0\x03 and more", 19, 1,
     "is not text but gzip data; unpack it first (gunzip)\n"},
    {"PK\3\4\x14\0\6\0 and more", 17, 1, "is not text but a zip archive"},
    {"BZh91AY&SY and more", 19, 1, "is not text but bzip2 data"},
    {"\3757zXZ\0 and more", 15, 1, "is not text but xz data"},
    {"\x89PNG\r\n\x1a\n and more", 17, 1, "is not text but a PNG picture"},
    {"\xff\xd8\xff\xe0 and more", 13, 1, "is not text but a JPEG picture"},
    {"GIF89a and more", 15, 1, "is not text but a GIF picture"},
    {"%PDF-1.7\n and much more that is plain text", 42, 1, "is not text but a PDF document"},
    {"\177ELF\2\1\1\0 and more", 17, 1, "is not text but a program (ELF)"},
    {"SQLite format 3\0 and more", 25, 1, "is not text but an SQLite database"},
    {"\x88\x07\0\0\0\0\0\0{\"__metadata__\":{}}", 27, 1, "is not text but a safetensors file"},
    {"\xff\xfe\0\0a\0\0\0", 8, 1, "is not text but UTF-32"},
    {"\0\0\xfe\xff\0\0\0a", 8, 1, "is not text but UTF-32"},
    {"\x28\xb5\x2f\xfd and more", 13, 1, "is not text but zstd data"},
    {"\xd0\xcf\x11\xe0 and more", 13, 1, "is not text but an Office document"},
    {"MZ\x90\0 and more", 13, 1, "is not text but a program (Windows)"},
    {"\u0436\u0430 a ", 7, 100,
     "is not text in Latin letters: read 500 characters; left out 200 characters (nothing in "
     "ASCII), Cyrillic: \u0430 100 times, \u0436 100" UCONV "\n"},
    {"\1\2 a ", 5, 100,
     "is not text: read 500 characters; left out 200 characters (nothing in ASCII), U+0001 100 "
     "times, U+0002 100; give a plain text file\n"},
    {"\xd0\xd2\xc9\xd7\xc5\xd4 mir ", 11, 100,
     "is not text in UTF-8, UTF-16 or Windows-1252: read 1,100 characters; read 600 bytes (not "
     "UTF-8) as Windows-1252; "}};

static void test_refused(void) {
    static char bytes[2500], tar[512] = "a file's name";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        size_t size = refused[i].size;
        for (size_t t = 0; t < refused[i].times; t++)
            memcpy(bytes + t * size, refused[i].bytes, size);
        check(says(1, bytes, size * refused[i].times, false, refused[i].line), "refused: %.*s",
              (int)strcspn(refused[i].line, "\n"), refused[i].line);
    }
    memcpy(tar + 257, "ustar", 5);
    check(says(1, tar, sizeof tar, false, "is not text but a tar archive"),
          "refused: a tar archive");
    for (size_t i = 0; i < 100; i++) memcpy(bytes + 22 * i, "a tenth, at most: \u0436\u0430", 22);
    put(bytes, 2200);
    Text good = text_read(path, false);
    check(good.left_out == 200 && good.characters == 2000,
          "a tenth of the characters may be left out, however many bytes they have");
    free(good.ids);
    bytes[0] = '\1';
    check(says(1, bytes, 2200, false, "is not text in Latin letters: read 2,000 characters"),
          "and not one more");
    check(says(1, "the \u20ac \u0436 is", 13, true,
               "\u0436 at offset 8 is nothing in ASCII and --strict is given; remove it, or leave "
               "--strict out"),
          "refused with --strict: one character that is nothing in ASCII");
}

/* Zero bytes among letters: read as UTF-16, two letters are a character of another script. */
static void test_zeros(void) {
    static const char as_utf_16[] = "is not text in Latin letters: read 500 characters";
    char bytes[1000];
    size_t wrong = 0;
    for (size_t odd = 0; odd < 2; odd++) {
        memset(bytes, 'a', sizeof bytes);
        for (size_t i = 0; i < 10; i++) bytes[20 * i + odd] = '\0';
        wrong += !called(bytes, sizeof bytes, NULL);
        bytes[200 + odd] = '\0';
        wrong += !says(1, bytes, sizeof bytes, false, as_utf_16);
    }
    check(wrong == 0, "UTF-16 has more than one zero byte in a hundred, on one side");
    for (size_t i = 11; i < 20; i++) bytes[20 * i + 1] = '\0';
    bytes[100] = bytes[120] = '\0';
    check(says(1, bytes, sizeof bytes, false, as_utf_16),
          "and a tenth as many on the other side at most");
    bytes[140] = '\0';
    check(called(bytes, sizeof bytes, NULL), "or it is none");
}

/* Under AddressSanitizer, which takes terabytes of addresses, only what is in use is limited. */
static void read_in_little_memory(const void *strict) {
#ifndef __SANITIZE_ADDRESS__
    struct rlimit limit = {(rlim_t)400 << 20, (rlim_t)400 << 20};
    setrlimit(RLIMIT_AS, &limit);
#endif
    read_and_notice(strict);
}

/* Nothing but a hole of so many bytes: refused in a line, in little memory, though the file says
   that it is large. */
static void test_hole(double gigabytes) {
    off_t size = (off_t)(gigabytes * 1e9);
    put("", 0);
    if ((double)size != gigabytes * 1e9 || truncate(path, size)) {
        printf("skip a text that is a hole of %g GB: this file system has no such files\n",
               gigabytes);
        return;
    }
    Child child = in_child(read_in_little_memory, &(bool){false});
    check(ended(&child, 1, "is not text: ") && child.memory < 200000,
          "a text that is a hole of %g GB is refused, in %ld MB of memory", gigabytes,
          child.memory / 1000);
}

int main(void) {
    mkdir("build/test", 0777);
    set_program_name("test_text");
    /* first: the memory that a child had at most begins with what this process has */
    test_hole(2.3);
    test_hole(5);
    test_hole(1000);
    test_every_character();
    test_blocks();
    test_items();
    test_windows();
    test_encodings();
    test_cuts();
    test_notice();
    test_refused();
    test_zeros();
    remove(path);
    return 0;
}
