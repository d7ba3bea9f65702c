/* The text reader: what each character becomes, in each encoding, wherever the bytes are cut between two reads; what
   is no text; what is said of it. */
#include "../../lib/text.h"
#include "../../lib/characters.h"
#include "../../lib/fail.h"
#include "../../lib/utf8.h"
#include "../check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char path[] = "build/test/text";
enum { BUFFER = 1 << 20 }; /* as lib/text.c reads */

/* What is read, what must come of it, and what must be counted. Items that leave something out begin with it. */
typedef struct {
    const char *bytes;
    size_t size;
    const char *becomes;
    size_t characters, line_ends, replaced, left_out, windows;
} Item;

#define REPLACED(bytes, becomes)                                                                   \
    { bytes, sizeof bytes - 1, becomes, 1, 0, 1, 0, 0 }
#define LINE_END(bytes, becomes, characters, count)                                                \
    { bytes, sizeof bytes - 1, becomes, characters, count, 0, 0, 0 }
#define KEPT(bytes)                                                                                \
    { bytes, sizeof bytes - 1, bytes, sizeof bytes - 1, 0, 0, 0, 0 }
#define LEFT_OUT(bytes, becomes, characters)                                                       \
    { bytes, sizeof bytes - 1, becomes, characters, 0, 0, 1, 0 }
#define WINDOWS(bytes, becomes, characters, count)                                                 \
    { bytes, sizeof bytes - 1, becomes, characters, 0, count, 0, count }

static const Item items[] = {
    /* quotes, dashes, ellipses, spaces, bullets */
    REPLACED("\u2018", "'"),
    REPLACED("\u2019", "'"),
    REPLACED("\u201a", "'"),
    REPLACED("\u201b", "'"),
    REPLACED("\u201c", "\""),
    REPLACED("\u201d", "\""),
    REPLACED("\u201e", "\""),
    REPLACED("\u201f", "\""),
    REPLACED("\u00ab", "\""),
    REPLACED("\u00bb", "\""),
    REPLACED("\u2039", "'"),
    REPLACED("\u203a", "'"),
    REPLACED("\u00b4", "'"),
    REPLACED("\u2032", "'"),
    REPLACED("\u2033", "\""),
    REPLACED("\u2034", "\'\'\'"),
    REPLACED("\u02bc", "'"),
    REPLACED("\u300c", "\""),
    REPLACED("\u2010", "-"),
    REPLACED("\u2011", "-"),
    REPLACED("\u2012", "-"),
    REPLACED("\u2013", "-"),
    REPLACED("\u2014", "--"),
    REPLACED("\u2015", "--"),
    REPLACED("\u2212", "-"),
    REPLACED("\u2026", "..."),
    REPLACED("\u00a0", " "),
    REPLACED("\u202f", " "),
    REPLACED("\u2007", " "),
    REPLACED("\u2000", " "),
    REPLACED("\u200a", " "),
    REPLACED("\u205f", " "),
    REPLACED("\u3000", " "),
    REPLACED("\u2022", "*"),
    REPLACED("\u00d7", "x"),
    /* what cannot be seen, and marks that combine */
    REPLACED("\u200b", ""),
    REPLACED("\u00ad", ""),
    {"\ufeff", 3, "", 1, 0, 0, 0, 0},
    REPLACED("\u0301", ""),
    REPLACED("\ufe0f", ""),
    {"e\u0301", 3, "e", 2, 0, 1, 0, 0},
    /* letters */
    REPLACED("\u00e9", "e"),
    REPLACED("\u00fc", "u"),
    REPLACED("\u00df", "ss"),
    REPLACED("\u00e6", "ae"),
    REPLACED("\u00c6", "AE"),
    REPLACED("\u00f8", "o"),
    REPLACED("\u0142", "l"),
    REPLACED("\ufb01", "fi"),
    REPLACED("\ufb03", "ffi"),
    REPLACED("\u0153", "oe"),
    REPLACED("\u00de", "Th"),
    REPLACED("\u00f0", "d"),
    REPLACED("\u0111", "d"),
    REPLACED("\u0131", "i"),
    REPLACED("\u0130", "I"),
    REPLACED("\u0159", "r"),
    REPLACED("\u0171", "u"),
    REPLACED("\u1e9e", "SS"),
    REPLACED("\u01c5", "Dz"),
    REPLACED("\u0259", "e"),
    REPLACED("\u1ea5", "a"),
    REPLACED("\u01e2", "AE"),
    REPLACED("\u0149", "'n"),
    REPLACED("\u00aa", "a"),
    REPLACED("\uff21", "A"),
    REPLACED("\uff5e", "~"),
    REPLACED("\U0001d49c", "A"),
    REPLACED("\u20ac", "EUR"),
    REPLACED("\u00bd", "1/2"),
    REPLACED("\u2122", "TM"),
    /* line ends */
    LINE_END("\r\n", "\n", 2, 1),
    LINE_END("\r\r\n", "\n\n", 3, 2),
    LINE_END("\n\r\n", "\n\n", 3, 1),
    LINE_END("\r", "\n", 1, 1),
    LINE_END("\rx\n", "\nx\n", 3, 1),
    LINE_END("\xc2\x85", "\n", 1, 1),
    LINE_END("\u2028", "\n", 1, 1),
    LINE_END("\u2029", "\n", 1, 1),
    KEPT(" \t\n"),
    KEPT("\x0b\x0c"),
    KEPT("a"),
    /* nothing in ASCII */
    LEFT_OUT("\0", "", 1),
    LEFT_OUT("\x7f", "", 1),
    LEFT_OUT("\x1b[", "[", 2),
    LEFT_OUT("\u0436", "", 1),
    LEFT_OUT("\u4e2d", "", 1),
    LEFT_OUT("\U0001f600", "", 1),
    LEFT_OUT("\xc2\x80", "", 1),
    LEFT_OUT("\ufffd", "", 1),
    /* no UTF-8: Windows-1252 */
    WINDOWS("\x92s", "\'s", 2, 1),
    WINDOWS("\xe9", "e", 1, 1),
    WINDOWS("\x80", "EUR", 1, 1),
    WINDOWS("\xdfz", "ssz", 2, 1),
    WINDOWS("\xe2\x80z", "aEURz", 3, 2),
    WINDOWS("\xe2z", "az", 2, 1),
    WINDOWS("\xc0\x80", "AEUR", 2, 2),
    WINDOWS("\xe2\xe2z", "aaz", 3, 2),
    {"\x81", 1, "", 1, 0, 0, 1, 1},
    {"\xe2\r\n", 3, "a\n", 3, 1, 1, 0, 1},
    {"\xe2\u2019", 4, "a\'", 2, 0, 2, 0, 1},
};
enum { ITEMS = sizeof items / sizeof *items };

/* Bytes and what must come of them, in all. */
typedef struct {
    unsigned char bytes[2 * BUFFER];
    char becomes[2 * BUFFER];
    size_t size, length, first_offset;
    Item counts;
} Sample;

static void add(Sample *sample, const Item *item) {
    memcpy(sample->bytes + sample->size, item->bytes, item->size);
    size_t length = strlen(item->becomes);
    memcpy(sample->becomes + sample->length, item->becomes, length);
    if (!sample->counts.left_out && item->left_out) sample->first_offset = sample->size;
    sample->size += item->size;
    sample->length += length;
    sample->counts.characters += item->characters;
    sample->counts.line_ends += item->line_ends;
    sample->counts.replaced += item->replaced;
    sample->counts.left_out += item->left_out;
    sample->counts.windows += item->windows;
}

static void add_letters(Sample *sample, size_t count) {
    memset(sample->bytes + sample->size, 'm', count);
    memset(sample->becomes + sample->length, 'm', count);
    sample->size += count;
    sample->length += count;
    sample->counts.characters += count;
}

/* A sample that begins with so many letters: too much left out of too little would not be taken for text. */
static Sample *letters(size_t count) {
    static Sample sample;
    sample.size = sample.length = sample.first_offset = 0;
    sample.counts = (Item){0};
    add_letters(&sample, count);
    return &sample;
}

static void add_items(Sample *sample) {
    for (size_t i = 0; i < ITEMS; i++) add(sample, &items[i]);
}

/* Did the reader make of the sample what it must? Frees the text. */
static bool as_expected(Text *text, const Sample *sample) {
    const Item *counts = &sample->counts;
    bool same = text->length == sample->length && text->bytes == sample->size &&
                text->characters == counts->characters && text->line_ends == counts->line_ends &&
                text->replaced == counts->replaced && text->left_out == counts->left_out &&
                text->windows_bytes == counts->windows;
    for (size_t i = 0; same && i < text->length; i++)
        same = character_of(text->ids[i]) == sample->becomes[i];
    if (counts->left_out) same &= text->first_offset == sample->first_offset;
    size_t named = 0;
    for (int i = 0; i < NAMED; i++) {
        named += text->most[i].count;
        same &= i == 0 || text->most[i].count <= text->most[i - 1].count;
    }
    same &= named <= text->left_out && (named == text->left_out || text->most[NAMED - 1].count > 0);
    free(text->ids);
    return same;
}

static bool read_from_file(const Sample *sample) {
    FILE *file = fopen(path, "wb");
    bool written = file && fwrite(sample->bytes, 1, sample->size, file) == sample->size;
    if (!file || fclose(file) || !written) return false;
    Text text = text_read(path, false);
    return as_expected(&text, sample);
}

/* Through standard input, which gives the first `first` bytes at the first read and then `piece` at each: a datagram is never joined
   with the next, and one of no bytes is the end. */
static bool read_in_pieces(const Sample *sample, size_t first, size_t piece) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends)) return false;
    pid_t child = fork();
    if (child == 0) {
        for (size_t at = 0, size = first; at < sample->size; at += size, size = piece) {
            if (size > sample->size - at) size = sample->size - at;
            if (size && send(ends[1], sample->bytes + at, size, 0) < 0) _exit(1);
        }
        _exit(send(ends[1], "", 0, 0) < 0);
    }
    int status = 1;
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
    Text text = text_read("-", false);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 &&
           as_expected(&text, sample);
}

/* ---- what becomes of what --------------------------------------------------------------------- */

static bool is_surrogate(unsigned code) { return code >= 0xd800 && code < 0xe000; }

/* Every character up to U+1FFFF, each behind enough letters, becomes what ascii_for says. */
static void test_every_character(void) {
    size_t wrong = 0, known = 0;
    unsigned code = 0x80;
    while (code < 0x20000) {
        Sample *sample = letters(0);
        for (unsigned end = code + 16384; code < end && code < 0x20000; code++) {
            char bytes[5], one[2];
            if (is_surrogate(code)) continue;
            const char *ascii = ascii_for(code, one);
            bool line_end = ascii && *ascii == '\n';
            known += ascii != NULL;
            add_letters(sample, 30);
            add(sample, &(Item){bytes, utf8_write(code, bytes), ascii ? ascii : "", 1, line_end,
                                ascii && !line_end && code != 0xfeff, !ascii, 0});
        }
        wrong += !read_from_file(sample);
    }
    check(wrong == 0,
          "of the characters U+0080 to U+1FFFF %zu become ASCII, all others are left out", known);
}

/* Are all of these letters of ASCII: at least one, and nothing else? */
static bool become_letters(unsigned first, unsigned last) {
    char one[2];
    for (unsigned code = first; code <= last; code++) {
        const char *ascii = ascii_for(code, one);
        if (code == 0xd7 || code == 0xf7) continue; /* signs: times, divided by */
        bool marks = (code >= 0x1bb && code <= 0x1c3) || code == 0x149 || code == 0x241 ||
                     code == 0x242; /* clicks, digits, stops */
        if (!ascii || !*ascii) return false;
        if (!marks && ascii[strspn(ascii, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ2")])
            return false;
    }
    return true;
}

static bool become(unsigned first, unsigned last, const char *expected) {
    char one[2];
    for (unsigned code = first; code <= last; code++) {
        const char *ascii = ascii_for(code, one);
        if (!ascii || strcmp(ascii, expected)) return false;
    }
    return true;
}

static void test_blocks(void) {
    check(become_letters(0xc0, 0xff), "each letter of Latin-1 becomes letters");
    check(become_letters(0x100, 0x24f), "each letter of Latin Extended A and B becomes letters");
    check(become_letters(0x1e00, 0x1eff),
          "each letter of Latin Extended Additional becomes letters");
    check(become_letters(0xfb00, 0xfb06), "each Latin ligature becomes letters");
    size_t wrong = 0;
    char one[2];
    for (unsigned code = 0x21; code < 0x7f; code++)
        wrong += !become(0xff00 + code - 0x20, 0xff00 + code - 0x20, (char[]){(char)code, 0});
    check(wrong == 0, "each full-width form becomes its half");
    check(become(0x2000, 0x200a, " ") && become(0x202f, 0x202f, " ") &&
              become(0x205f, 0x205f, " ") && become(0x3000, 0x3000, " ") &&
              become(0x1680, 0x1680, " ") && become(0xa0, 0xa0, " "),
          "each space becomes a space");
    check(become(0x300, 0x36f, "") && become(0x1ab0, 0x1ace, "") && become(0x1dc0, 0x1dff, "") &&
              become(0x20d0, 0x20f0, "") && become(0xfe20, 0xfe2f, ""),
          "each mark that combines vanishes");
    check(!ascii_for(0x436, one) && !ascii_for(0x4e2d, one) && !ascii_for(0x1f600, one) &&
              !ascii_for(0x10ffff, one) && !ascii_for(0x80, one),
          "other scripts, emoji and the last code point become nothing");
    check(!strcmp(script_of(0x436), "Cyrillic") && !strcmp(script_of(0x3b1), "Greek") &&
              !strcmp(script_of(0x4e2d), "Chinese or Japanese") &&
              !strcmp(script_of(0x1f600), "emoji and symbols") &&
              !strcmp(script_of(0x5d0), "Hebrew") && !script_of(0x7),
          "scripts have their names");
    check(!strcmp(script_of(0x3e1), "Greek") && !strcmp(script_of(0x3e2), "Coptic") &&
              !strcmp(script_of(0x400), "Cyrillic") && !strcmp(script_of(0x52f), "Cyrillic") &&
              !script_of(0x530) && !script_of(0x2b0),
          "from their first letter to their last");
}

/* Each byte that Windows-1252 and Latin-1 have apart, and where nothing is. */
static void test_windows(void) {
    static const char *const becomes[32] = {
        "EUR", NULL, "'", "f",  "\"", "...", NULL, NULL, "^", NULL, "S", "'", "OE", NULL, "Z", NULL,
        NULL,  "'",  "'", "\"", "\"", "*",   "-",  "--", "~", "TM", "s", "'", "oe", NULL, "z", "Y"};
    static const uint32_t unlike[] = {0x81, 0x2020, 0x2021, 0x2030, 0x8d, 0x8f, 0x90, 0x9d};
    size_t wrong = 0, others = 0;
    for (int byte = 0x80; byte < 0xa0; byte++) {
        Sample *sample = letters(100);
        const char *ascii = becomes[byte - 0x80];
        add(sample,
            &(Item){(char[]){(char)byte}, 1, ascii ? ascii : "", 1, 0, ascii != NULL, !ascii, 1});
        wrong += !read_from_file(sample);
        if (ascii) continue;
        Text text = text_read(path, false);
        wrong += text.most[0].code != unlike[others++] || text.first_code != text.most[0].code;
        free(text.ids);
    }
    check(wrong == 0 && others == sizeof unlike / sizeof *unlike,
          "each byte of Windows-1252 is its character");
}

/* What the encoding of a text is called. */
static bool called(const char *bytes, size_t size, const char *name) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) return false;
    Text text = text_read(path, false);
    free(text.ids);
    return name ? text.encoding && !strcmp(text.encoding, name) : !text.encoding;
}

static void test_names_of_encodings(void) {
    check(called("\xef\xbb\xbf text", 8, "UTF-8 with a byte order mark") &&
              called("text", 4, NULL) && called("\xef\xbb and more of it", 17, NULL),
          "UTF-8 is told by its mark");
    check(called("\xfe\xff\x20\x19\0t", 6, "UTF-16, big-endian") &&
              called("\xff\xfe\x19\x20t\0", 6, "UTF-16, little-endian"),
          "UTF-16 is told by its mark, whatever its first character is");
}

static void test_items(void) {
    size_t wrong = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        Sample *sample = letters(100);
        add(sample, &items[i]);
        bool at_end = read_from_file(sample);
        sample = letters(50);
        add(sample, &items[i]);
        add_letters(sample, 50);
        bool within = read_from_file(sample);
        if (!at_end || !within) printf("note item %zu: %s\n", i, items[i].bytes);
        wrong += !at_end || !within;
    }
    check(wrong == 0, "letters, quotes, dashes, spaces, line ends, what is no UTF-8, control "
                      "characters; within a text and at its end");
}

/* A text of UTF-8 that was cut within a character: that one is left out. */
static void test_cut_character(void) {
    static const Item cut[] = {LEFT_OUT("\xe2\x80", "", 1), LEFT_OUT("\xe2", "", 1),
                               LEFT_OUT("\xc3", "", 1), LEFT_OUT("\xf0\x9f\x98", "", 1)};
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        Sample *sample = letters(100);
        add(sample, &(Item)REPLACED("\u2019", "'"));
        add(sample, &cut[i]);
        wrong += !read_from_file(sample);
    }
    check(wrong == 0, "of a text that ends within a character of UTF-8 this is left out");
}

/* ---- UTF-16 ----------------------------------------------------------------------------------- */

static size_t put_unit(unsigned char *bytes, unsigned unit, bool big) {
    bytes[!big] = (unsigned char)(unit >> 8);
    bytes[big] = (unsigned char)unit;
    return 2;
}

/* The sample's UTF-8 as UTF-16 in a file; is it read as the same, and named? */
static bool read_as_utf_16(const Sample *sample, bool big, bool mark) {
    static unsigned char bytes[4 * BUFFER];
    size_t size = 0;
    uint32_t code;
    if (mark) size += put_unit(bytes, 0xfeff, big);
    for (size_t i = 0; i < sample->size;
         i += utf8_read(sample->bytes + i, sample->size - i, &code)) {
        utf8_read(sample->bytes + i, sample->size - i, &code);
        if (code >= 0x10000) size += put_unit(bytes + size, 0xd800 + ((code - 0x10000) >> 10), big);
        size += put_unit(bytes + size, code < 0x10000 ? code : 0xdc00 + (code & 0x3ff), big);
    }
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) return false;
    Text text = text_read(path, false);
    bool good = text.encoding &&
                !strcmp(text.encoding, big ? "UTF-16, big-endian" : "UTF-16, little-endian") &&
                text.length == sample->length && text.replaced == sample->counts.replaced &&
                text.left_out == sample->counts.left_out && text.bytes == size;
    for (size_t i = 0; good && i < text.length; i++)
        good = character_of(text.ids[i]) == sample->becomes[i];
    free(text.ids);
    return good;
}

static void test_utf_16(void) {
    for (int kind = 0; kind < 4; kind++) {
        size_t wrong = 0;
        for (size_t before = BUFFER / 2 - 300; before < BUFFER / 2; before += kind % 2 ? 7 : 11) {
            Sample *sample = letters(before);
            for (size_t i = 0; i < ITEMS; i++)
                if (!items[i].windows) add(sample, &items[i]);
            wrong += !read_as_utf_16(sample, kind & 1, kind & 2);
        }
        check(wrong == 0, "UTF-16, %s-endian, %s a byte order mark, wherever the buffer ends",
              kind & 1 ? "big" : "little", kind & 2 ? "with" : "without");
    }
    Sample *sample = letters(20);
    add(sample, &items[0]);
    check(read_as_utf_16(sample, false, false) && read_as_utf_16(sample, true, false),
          "a line of UTF-16");
}

static void test_arguments(void) {
    char *plain = text_argument("it", "a\ufeff\u2019\r\n\xe9z"), *empty = text_argument("it", "");
    check(!strcmp(plain, "a'\nez") && !strcmp(empty, ""), "an argument is read by the same rules");
    free(plain);
    free(empty);
}

/* ---- cuts ------------------------------------------------------------------------------------- */

static void test_end_of_buffer(void) {
    Sample *sample = letters(0);
    add_items(sample);
    size_t size = sample->size, wrong = 0;
    for (size_t before = 0; before <= size; before++) {
        sample = letters(BUFFER - before);
        add_items(sample);
        wrong += !read_from_file(sample);
    }
    check(wrong == 0, "the end of the reader's buffer at each of %zu places changes nothing",
          size + 1);
}

static void test_pieces(void) {
    enum { BEFORE = 1000 };
    Sample *sample = letters(BEFORE);
    add_items(sample);
    size_t wrong = 0;
    for (size_t cut = BEFORE; cut <= sample->size; cut++)
        wrong += !read_in_pieces(sample, cut, sample->size);
    check(wrong == 0, "standard input that comes in two parts, cut at each of %zu places",
          sample->size - BEFORE + 1);
    for (size_t piece = 1; piece <= 5; piece++)
        check(read_in_pieces(sample, 1, piece), "standard input that comes in pieces of %zu",
              piece);
}

static void test_ends(void) {
    static const Item ends[] = {LINE_END("\r", "\n", 1, 1), LINE_END("\r\n", "\n", 2, 1),
                                WINDOWS("\xe2", "a", 1, 1), WINDOWS("\xe2\x80", "aEUR", 2, 2),
                                WINDOWS("\xc2", "A", 1, 1), REPLACED("\u00a0", " "),
                                REPLACED("\u2026", "..."),  LEFT_OUT("\U0001f600", "", 1)};
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        Sample *sample = letters(100);
        add(sample, &ends[i]);
        for (size_t piece = 1; piece <= 4; piece++) wrong += !read_in_pieces(sample, 100, piece);
        sample = letters(BUFFER - 1);
        add(sample, &ends[i]);
        wrong += !read_from_file(sample);
    }
    check(wrong == 0, "a text that ends within a sequence, in pieces and at the end of the buffer");
}

/* ---- what is told ----------------------------------------------------------------------------- */

/* Is the line that is said of this text the right one? NULL: nothing is said. */
static bool says(const Sample *sample, const char *expected) {
    static const char told[] = "build/test/text.told";
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(sample->bytes, 1, sample->size, file) != sample->size || fclose(file))
        return false;
    Text text = text_read(path, false);
    int kept = dup(STDERR_FILENO), other = open(told, O_RDWR | O_CREAT | O_TRUNC, 0666);
    dup2(other, STDERR_FILENO);
    text_notice(&text, "a.txt");
    dup2(kept, STDERR_FILENO);
    char line[2048] = "", wanted[2048] = "";
    ssize_t length = pread(other, line, sizeof line - 1, 0);
    line[length > 0 ? length : 0] = '\0';
    if (expected) snprintf(wanted, sizeof wanted, "test_text: a.txt: %s\n", expected);
    close(kept);
    close(other);
    remove(told);
    free(text.ids);
    if (strcmp(line, wanted)) printf("note it says: %s\n", line);
    return !strcmp(line, wanted);
}

static void test_notice(void) {
    const Item line_end = LINE_END("\r\n", "\n", 2, 1), quote = REPLACED("\u2019", "'"),
               letter = LEFT_OUT("\u0436", "", 1);
    Sample *sample = letters(100);
    check(says(sample, NULL), "of printable ASCII nothing is said");
    add(sample, &line_end);
    add(sample, &line_end);
    check(says(sample, "2 line ends (such as CR LF) became LF"), "what is said of CR LF");
    sample = letters(100);
    for (int i = 0; i < 3; i++) add(sample, &quote);
    check(says(sample, "3 characters beyond ASCII (letters, quotes, dashes, spaces) became ASCII"),
          "what is said of look-alikes");
    sample = letters(100);
    add(sample, &letter);
    add(sample, &letter);
    check(says(sample, "left out 2 characters (nothing in ASCII), Cyrillic: \u0436 2 times; uconv "
                       "-x 'Any-Latin; Latin-ASCII' spells them in Latin letters"),
          "what is said of characters left out: themselves, their script, what to do");
    sample = letters(100);
    add(sample, &(Item)LEFT_OUT("\U0001f600", "", 1));
    check(says(sample,
               "left out 1 character (nothing in ASCII), emoji and symbols: \U0001f600 1 time"),
          "what is said of emoji");
    sample = letters(20000);
    for (int i = 0; i < 1234; i++) {
        add(sample, &line_end);
        add(sample, &quote);
    }
    add(sample, &(Item)WINDOWS("\xe9", "e", 1, 1));
    for (int i = 0; i < 1500; i++) add(sample, &letter);
    check(says(sample,
               "read 1 byte (not UTF-8) as Windows-1252; 1,234 line ends (such as CR LF) "
               "became LF; 1,235 characters beyond ASCII (letters, quotes, dashes, spaces) "
               "became ASCII; left out 1,500 characters (nothing in ASCII), Cyrillic: \u0436 "
               "1,500 times; uconv -x 'Any-Latin; Latin-ASCII' spells them in Latin letters"),
          "what is said of all four, in one line");
    sample = letters(200);
    for (char byte = 1; byte <= 9; byte++)
        if (byte != '\t') add(sample, &(Item){&byte, 1, "", 1, 0, 0, 1, 0});
    add(sample, &(Item)LEFT_OUT("\x7f", "", 1));
    check(says(sample, "left out 9 characters (nothing in ASCII), U+0001 1 time, U+0002 1, U+0003 "
                       "1, U+0004 1, U+0005 1, U+0006 1, U+0007 1, U+0008 1"),
          "of many kinds of characters eight are named");
}

/* ---- what is no text -------------------------------------------------------------------------- */

/* Status and line of a child that reads these bytes as a text. */
static bool refuses(const char *bytes, size_t size, bool strict, const char *expected) {
    static const char told[] = "build/test/text.told";
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) return false;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen(told, "w", stderr)) _exit(9);
        text_read(path, strict);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    char line[2048] = "", wanted[2048];
    FILE *said = fopen(told, "r");
    size_t length = said ? fread(line, 1, sizeof line - 1, said) : 0;
    if (said) fclose(said);
    line[length] = '\0';
    remove(told);
    snprintf(wanted, sizeof wanted, "test_text: %s: %s", path, expected);
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 1 &&
                !strncmp(line, wanted, strlen(wanted)) && strchr(line, '\n') == line + length - 1;
    if (!good) printf("note status %d: %s\n", status, line);
    return good;
}

#define REFUSES(bytes, expected)                                                                   \
    check(refuses(bytes, sizeof bytes - 1, false, expected), "refused: %s", expected)

/* So many times the same, as one text. */
static const char *repeated(const char *part, size_t times, size_t *size) {
    static char text[1 << 16];
    *size = 0;
    for (size_t i = 0; i < times; i++) *size += (size_t)sprintf(text + *size, "%s", part);
    return text;
}

/* Zero bytes among letters: where UTF-16 begins, letters in twos are characters of another script. */
static void test_zeros(void) {
    static const char as_utf_16[] = "is not text in Latin letters: read 500 characters";
    char bytes[1000];
    size_t wrong = 0;
    for (size_t odd = 0; odd < 2; odd++) {
        memset(bytes, 'a', sizeof bytes);
        for (size_t i = 0; i < 10; i++) bytes[20 * i + odd] = '\0';
        wrong += !called(bytes, sizeof bytes, NULL);
        bytes[200 + odd] = '\0';
        wrong += !refuses(bytes, sizeof bytes, false, as_utf_16);
    }
    check(wrong == 0, "UTF-16 has more than one zero byte in a hundred, on one side");
    for (size_t i = 11; i < 20; i++) bytes[20 * i + 1] = '\0';
    bytes[100] = bytes[120] = '\0';
    check(refuses(bytes, sizeof bytes, false, as_utf_16),
          "and a tenth as many on the other side at most");
    bytes[140] = '\0';
    check(called(bytes, sizeof bytes, NULL), "or it is none");
}

static void test_no_text(void) {
    REFUSES("", "is empty; there is nothing to learn from");
    REFUSES("\xef\xbb\xbf", "is empty; there is nothing to learn from");
    REFUSES("\x1f\x8b\x08\0\0\0\0\0\0\x03 and more",
            "is not text but gzip data; unpack it first (gunzip)");
    REFUSES("PK\3\4\x14\0\6\0 and more", "is not text but a zip archive");
    REFUSES("BZh91AY&SY and more", "is not text but bzip2 data");
    REFUSES("\xfd"
            "7zXZ\0 and more",
            "is not text but xz data");
    REFUSES("\x89PNG\r\n\x1a\n and more", "is not text but a PNG picture");
    REFUSES("\xff\xd8\xff\xe0 and more", "is not text but a JPEG picture");
    REFUSES("GIF89a and more", "is not text but a GIF picture");
    REFUSES("%PDF-1.7\n and much more that is plain text", "is not text but a PDF document");
    REFUSES("\x7f"
            "ELF\2\1\1\0 and more",
            "is not text but a program (ELF)");
    REFUSES("SQLite format 3\0 and more", "is not text but an SQLite database");
    REFUSES("\x88\x07\0\0\0\0\0\0{\"__metadata__\":{}}", "is not text but a safetensors file");
    REFUSES("\xff\xfe\0\0a\0\0\0", "is not text but UTF-32");
    REFUSES("\0\0\xfe\xff\0\0\0a", "is not text but UTF-32");
    REFUSES("\x28\xb5\x2f\xfd and more", "is not text but zstd data");
    REFUSES("\xd0\xcf\x11\xe0 and more", "is not text but an Office document");
    REFUSES("MZ\x90\0 and more", "is not text but a program (Windows)");
    static char tar[512] = "a file's name";
    memcpy(tar + 257, "ustar", 5);
    check(refuses(tar, sizeof tar, false, "is not text but a tar archive"),
          "refused: a tar archive");
    size_t size;
    const char *text = repeated("\u0436\u0430 a ", 100, &size);
    check(refuses(text, size, false,
                  "is not text in Latin letters: read 500 characters; left out 200 characters "
                  "(nothing in ASCII), Cyrillic: \u0430 100 times, \u0436 100; uconv -x "
                  "'Any-Latin; Latin-ASCII' spells them in Latin letters\n"),
          "refused: another script, which is named");
    text = repeated("\1\2 a ", 100, &size);
    check(refuses(text, size, false,
                  "is not text: read 500 characters; left out 200 characters (nothing in ASCII), "
                  "U+0001 100 times, U+0002 100; give a plain text file\n"),
          "refused: control characters");
    text = repeated("\xd0\xd2\xc9\xd7\xc5\xd4 mir ", 100, &size);
    check(refuses(text, size, false,
                  "is not text in UTF-8, UTF-16 or Windows-1252: read 1,100 characters; read 600 "
                  "bytes (not UTF-8) as Windows-1252; "),
          "refused: an encoding of another language");
    text = repeated("a tenth, at most: \u0436\u0430", 100, &size);
    Text good = {0};
    FILE *file = fopen(path, "wb");
    if (file && fwrite(text, 1, size, file) == size && !fclose(file)) good = text_read(path, false);
    check(good.left_out == 200 && good.characters == 2000,
          "a tenth of the characters may be left out, however many bytes they have");
    free(good.ids);
    check(refuses("the \u20ac \u0436 is", 13, true,
                  "\u0436 at offset 8 is nothing in ASCII and --strict is given; remove it, or "
                  "leave --strict out"),
          "refused with --strict: one character that is nothing in ASCII");
}

/* ---- files with holes ------------------------------------------------------------------------- */

/* Nothing but a hole of so many bytes: refused in a line, in little memory, though the file says that it is large. Under
   AddressSanitizer, which takes terabytes of addresses, only what is in use is limited. */
static void test_hole(long long size, const char *name) {
    static const char told[] = "build/test/text.told";
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || ftruncate(file, (off_t)size) || (off_t)size != size) {
        printf("skip a text that is %s: this file system has no such files\n", name);
        close(file);
        return;
    }
    close(file);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen(told, "w", stderr)) _exit(9);
#ifndef __SANITIZE_ADDRESS__
        struct rlimit limit = {(rlim_t)400 << 20, (rlim_t)400 << 20};
        setrlimit(RLIMIT_AS, &limit);
#endif
        text_read(path, false);
        _exit(0);
    }
    int status;
    struct rusage usage;
    wait4(child, &status, 0, &usage);
    char line[1024] = "";
    FILE *said = fopen(told, "r");
    bool one_line = said && fgets(line, sizeof line, said) && fgetc(said) == EOF;
    if (said) fclose(said);
    remove(told);
    bool good =
        WIFEXITED(status) && WEXITSTATUS(status) == 1 && one_line && strstr(line, "is not text: ");
    if (good)
        check(usage.ru_maxrss < 200000, "a text that is %s: one line, %ld MB of memory", name,
              usage.ru_maxrss / 1000);
    else
        check(false, "a text that is %s: status %d, it said: %s", name, status, line);
}

int main(void) {
    mkdir("build/test", 0777);
    set_program_name("test_text");
    test_every_character();
    test_blocks();
    test_items();
    test_windows();
    test_names_of_encodings();
    test_cut_character();
    test_utf_16();
    test_arguments();
    test_end_of_buffer();
    test_pieces();
    test_ends();
    test_notice();
    test_no_text();
    test_zeros();
    test_hole(2300000000, "a hole of 2.3 GB");
    test_hole(5000000000, "a hole of 5 GB");
    test_hole(1000000000000, "a hole of 1 TB");
    remove(path);
    return 0;
}
