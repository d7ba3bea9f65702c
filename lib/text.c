#include "text.h"

#include "characters.h"
#include "fail.h"
#include "format.h"
#include "memory.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char marked[] = "UTF-8 with a byte order mark";
static const char little_endian[] = "UTF-16, little-endian", big_endian[] = "UTF-16, big-endian";

typedef struct {
    Text text;
    size_t capacity; /* of text.ids */
    bool after_cr;
    bool multibyte;     /* a character of several bytes of UTF-8 was there */
    uint32_t *left_out; /* [CODES] how often each code point was, NULL: none was */
} Reader;

enum { LONGEST = 4, CODES = 0x110000 }; /* ASCII for one character at most, and its bytes */

static void leave_out(Reader *reader, uint32_t code, size_t offset) {
    Text *text = &reader->text;
    if (text->left_out++ == 0) {
        reader->left_out = allocate(CODES, sizeof *reader->left_out, "reading the text");
        text->first_code = code;
        text->first_offset = offset;
    }
    reader->left_out[code]++;
}

/* One character, at this offset: its ids join the text, which has room. */
static void add_character(Reader *reader, uint32_t code, size_t offset) {
    Text *text = &reader->text;
    char one[2];
    bool ends_cr_lf = code == '\n' && reader->after_cr; /* the CR became the LF */
    reader->after_cr = code == '\r';
    text->characters++;
    if (ends_cr_lf || code == 0xfeff) return; /* a byte order mark is nothing */
    const char *ascii = ascii_for(code, one);
    if (!ascii)
        leave_out(reader, code, offset);
    else if (*ascii == '\n' && code != '\n')
        text->line_ends++;
    else if (code >= 0x80)
        text->replaced++;
    for (; ascii && *ascii; ascii++)
        text->ids[text->length++] = (uint8_t)id_of((unsigned char)*ascii);
}

/* ---- encodings ---- */

/* Windows-1252, which is Latin-1 but for 0x80..0x9f; 0x81, 0x8d, 0x8f, 0x90, 0x9d are nothing. */
static uint32_t windows_1252(unsigned char byte) {
    static const uint16_t differs[32] = {
        0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};
    return byte >= 0x80 && byte < 0xa0 ? differs[byte - 0x80] : byte;
}

/* The next character of bytes [length > 0]; returns how many bytes it has. What is no UTF-8 is a
   byte of Windows-1252; but what is left of a cut last character is U+FFFD. */
static size_t next_utf_8(Reader *reader, const unsigned char *bytes, size_t length,
                         uint32_t *code) {
    size_t size = utf8_read(bytes, length, code), end = 1;
    reader->multibyte |= size > 1;
    if (size > 0) return size;
    while (end < length && (bytes[end] & 0xc0) == 0x80) end++;
    if (reader->multibyte && length < LONGEST && end == length && bytes[0] >= 0xc2) {
        *code = 0xfffd;
        return length;
    }
    *code = windows_1252(bytes[0]);
    reader->text.windows_bytes++;
    return 1;
}

/* The same. Half a pair of surrogates is a character, which will be left out. */
static size_t next_utf_16(const Reader *reader, const unsigned char *bytes, size_t length,
                          uint32_t *code) {
    size_t low = reader->text.encoding == big_endian;
    *code = 0xfffd;
    if (length < 2) return length;
    *code = bytes[low] | (uint32_t)bytes[!low] << 8;
    if (*code >> 10 != 0xd800 >> 10 || length < 4) return 2;
    uint32_t second = bytes[2 + low] | (uint32_t)bytes[2 + !low] << 8;
    if (second >> 10 != 0xdc00 >> 10) return 2;
    *code = 0x10000 + ((*code & 0x3ff) << 10) + (second & 0x3ff);
    return 4;
}

/* Takes characters from bytes [length]; returns how many bytes they had: up to 3 at the end wait
   for what follows, unless these are the text's last. */
static size_t add_bytes(Reader *reader, const unsigned char *bytes, size_t length, bool last) {
    Text *text = &reader->text;
    size_t i = 0, room = text->length + LONGEST * length;
    text->ids = grow(text->ids, &reader->capacity, room, 1, "the text");
    bool utf_16 = text->encoding == little_endian || text->encoding == big_endian;
    while (i + LONGEST <= length || (last && i < length)) {
        uint32_t code;
        size_t offset = text->bytes + i;
        if (utf_16)
            i += next_utf_16(reader, bytes + i, length - i, &code);
        else
            i += next_utf_8(reader, bytes + i, length - i, &code);
        add_character(reader, code, offset);
    }
    text->bytes += i;
    return i;
}

/* Is one in 50 of the bytes at odd places (or even ones) zero, and hardly any of the others? So it
   is in UTF-16, where a zero stands beside each ASCII character. */
static bool has_zeros(const unsigned char *bytes, size_t length, bool odd) {
    size_t zeros[2] = {0};
    for (size_t i = 0; i < length; i++) zeros[i % 2] += bytes[i] == 0;
    return zeros[odd] > length / 100 && zeros[!odd] * 10 <= zeros[odd];
}

static bool begins(const unsigned char *bytes, size_t length, const char *mark) {
    return length >= strlen(mark) && !memcmp(bytes, mark, strlen(mark));
}

/* The encoding, by the text's first bytes. NULL: UTF-8. */
static const char *encoding_of(const unsigned char *bytes, size_t length) {
    if (begins(bytes, length, "\xef\xbb\xbf")) return marked;
    if (begins(bytes, length, "\xff\xfe")) return little_endian;
    if (begins(bytes, length, "\xfe\xff")) return big_endian;
    if (has_zeros(bytes, length, true)) return little_endian;
    return has_zeros(bytes, length, false) ? big_endian : NULL;
}

/* ---- what is no text ---- */

static const struct {
    size_t offset, length;
    const char *bytes, *name;
} formats[] = {
    {0, 2, "\x1f\x8b", "gzip data; unpack it first (gunzip)"},
    {0, 4, "PK\3\4", "a zip archive (docx, odt, epub are such); take the text out of it first"},
    {4, 6, "1AY&SY", "bzip2 data; unpack it first (bunzip2)"},
    {0, 5, "\3757zXZ", "xz data; unpack it first (unxz)"},
    {0, 4, "\x28\xb5\x2f\xfd", "zstd data; unpack it first (unzstd)"},
    {256, 6, "\0ustar", "a tar archive; unpack it first (tar -x)"},
    {0, 4, "\x89PNG", "a PNG picture; give a plain text file"},
    {0, 3, "\xff\xd8\xff", "a JPEG picture; give a plain text file"},
    {0, 5, "GIF89", "a GIF picture; give a plain text file"},
    {0, 5, "%PDF-", "a PDF document; take its text out first (pdftotext)"},
    {0, 4, "\xd0\xcf\x11\xe0", "an Office document; save it as plain text first"},
    {0, 4, "\177ELF", "a program (ELF); give a plain text file"},
    {0, 4, "MZ\x90\0", "a program (Windows); give a plain text file"},
    {0, 16, "SQLite format 3", "an SQLite database; take the text out of it first"},
    {5, 5, "\0\0\0{\"", "a safetensors file, such as a model; give a plain text file"},
    {0, 4, "\xff\xfe\0\0", "UTF-32; convert it first (iconv -f UTF-32 -t UTF-8)"},
    {0, 4, "\0\0\xfe\xff", "UTF-32; convert it first (iconv -f UTF-32 -t UTF-8)"},
};

static void refuse_other_formats(const char *path, const unsigned char *bytes, size_t length) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t offset = formats[i].offset, size = formats[i].length;
        if (offset + size > length || memcmp(bytes + offset, formats[i].bytes, size)) continue;
        fail("%s: is not text but %s", path, formats[i].name);
    }
}

/* Is more than a tenth of the characters nothing in ASCII, or are more than a quarter bytes of
   Windows-1252? (In French some 7 % are, in Icelandic 13 %.) */
static bool is_no_text(const Text *text) {
    return text->left_out > text->characters / 10 || text->windows_bytes > text->characters / 4;
}

/* ---- what is said ---- */

/* A character as people see it, or its code point when it cannot be seen. Returns name. */
static char *name_of(uint32_t code, char name[16]) {
    bool seen = script_of(code) || (code >= 0xa0 && code < 0x2e80);
    snprintf(name, 16, "U+%04X", (unsigned)code);
    if (seen) utf8_write(code, name);
    return name;
}

/* Are they letters of another script, at least the most frequent one? */
static bool is_foreign(const Text *text) {
    return text->script && strncmp(text->script, "emoji", 5) != 0;
}

/* "left out 13 characters (nothing in ASCII), Cyrillic: o 9 times, e 4; ..." */
static void add_left_out(Buffer *buffer, const Text *text) {
    char number[64], name[16];
    buffer_add(buffer, "; left out %s (nothing in ASCII), ",
               counted(text->left_out, "characters", number));
    if (text->script) buffer_add(buffer, "%s: ", text->script);
    const LeftOut *most = text->most;
    buffer_add(buffer, "%s %s", name_of(most->code, name), counted(most->count, "times", number));
    for (int i = 1; i < NAMED && most[i].count; i++)
        buffer_add(buffer, ", %s %s", name_of(most[i].code, name), grouped(most[i].count, number));
    if (is_foreign(text))
        buffer_add(buffer, "; uconv -x 'Any-Latin; Latin-ASCII' spells them in Latin letters");
}

/* All that was changed; nothing when nothing was. */
static Buffer account(const Text *text) {
    Buffer line = {0};
    char number[64];
    if (text->encoding) buffer_add(&line, "; read as %s", text->encoding);
    if (text->windows_bytes)
        buffer_add(&line, "; read %s (not UTF-8) as Windows-1252",
                   counted(text->windows_bytes, "bytes", number));
    if (text->line_ends)
        buffer_add(&line, "; %s (such as CR LF) became LF",
                   counted(text->line_ends, "line ends", number));
    if (text->replaced)
        buffer_add(&line, "; %s beyond ASCII (letters, quotes, dashes, spaces) became ASCII",
                   counted(text->replaced, "characters", number));
    if (text->left_out) add_left_out(&line, text);
    return line;
}

void text_notice(const Text *text, const char *path) {
    Buffer line = account(text);
    if (line.text) notice("%s: %s", path, line.text + 2);
    buffer_free(&line);
}

static _Noreturn void refuse(const Text *text, const char *path) {
    const char *kind = "text", *advice = "; give a plain text file";
    Buffer line = account(text);
    char number[64];
    if (is_foreign(text)) {
        kind = "text in Latin letters";
        advice = "";
    } else if (text->left_out <= text->characters / 10) {
        kind = "text in UTF-8, UTF-16 or Windows-1252";
        advice = "; convert it first (iconv -f ENCODING -t UTF-8)";
    }
    fail("%s: is not %s: read %s%s%s", path, kind, counted(text->characters, "characters", number),
         line.text, advice);
}

/* ---- from a file ---- */

/* Ranks the characters that were left out, and frees their counts. */
static void finish(Reader *reader) {
    Text *text = &reader->text;
    for (uint32_t code = 0; reader->left_out && code < CODES; code++) {
        LeftOut next = {code, reader->left_out[code]};
        for (int i = 0; i < NAMED && next.count > 0; i++) {
            if (text->most[i].count >= next.count) continue;
            LeftOut passed = text->most[i];
            text->most[i] = next;
            next = passed;
        }
    }
    if (text->left_out) text->script = script_of(text->most[0].code);
    free(reader->left_out);
    text->ids = reallocate(text->ids, text->length, 1, "the text");
}

static _Noreturn void cannot_read(const char *path) {
    switch (errno) {
    case ENOENT: fail("%s: no such file; name a text file, or - for standard input", path);
    case EISDIR: fail("%s: is a directory; name a text file inside it", path);
    case EACCES: fail("%s: not readable; check its permissions", path);
    default: fail("%s: cannot be read: %s", path, strerror(errno));
    }
}

/* Reads until bytes [size] are full or the file ends; returns how many there are. */
static size_t read_all(int file, const char *path, unsigned char *bytes, size_t size) {
    size_t length = 0;
    for (ssize_t got = 1; length < size && got != 0;) {
        got = read(file, bytes + length, size - length);
        if (got < 0 && errno != EINTR) cannot_read(path);
        if (got > 0) length += (size_t)got;
    }
    return length;
}

static void read_file(Reader *reader, int file, const char *path) {
    /* when of ENOUGH bytes most are no text, nobody needs the rest, which may never end */
    enum { CHUNK = 1 << 20, ENOUGH = 64 << 20 };
    unsigned char *chunk = reallocate(NULL, CHUNK, 1, "reading the text");
    size_t waiting = 0;
    for (bool last = false; !last;) {
        size_t length = waiting + read_all(file, path, chunk + waiting, CHUNK - waiting);
        last = length < CHUNK || (reader->text.bytes >= ENOUGH && is_no_text(&reader->text));
        if (reader->text.bytes == 0) {
            refuse_other_formats(path, chunk, length);
            reader->text.encoding = encoding_of(chunk, length);
        }
        size_t used = add_bytes(reader, chunk, length, last);
        waiting = length - used;
        memmove(chunk, chunk + used, waiting);
    }
    free(chunk);
}

Text text_read(const char *path, bool strict) {
    bool standard_input = strcmp(path, "-") == 0;
    int file = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) cannot_read(path);
    Reader reader = {0};
    read_file(&reader, file, path);
    if (!standard_input) close(file);
    finish(&reader);
    const Text *text = &reader.text;
    char name[16];
    if (is_no_text(text)) refuse(text, path);
    if (text->length == 0) fail("%s: is empty; there is nothing to learn from", path);
    if (strict && text->left_out)
        fail("%s: %s at offset %zu is nothing in ASCII and --strict is given; remove it, or leave "
             "--strict out to skip such characters",
             path, name_of(text->first_code, name), text->first_offset);
    return *text;
}

char *text_argument(const char *what, const char *argument) {
    Reader reader = {0};
    add_bytes(&reader, (const unsigned char *)argument, strlen(argument), true);
    finish(&reader);
    Text *text = &reader.text;
    char name[16];
    if (text->left_out)
        wrong_use("%s: %s is nothing in ASCII; leave it out", what,
                  name_of(text->first_code, name));
    char *plain = allocate(text->length + 1, 1, what);
    for (size_t i = 0; i < text->length; i++) plain[i] = character_of(text->ids[i]);
    free(text->ids);
    return plain;
}

/* ---- without a model ---- */

/* What characters that occur so often [100] cost in all: total ln total - sum n ln n. */
static double cost(const size_t *counts) {
    size_t total = 0;
    double sum = 0;
    for (int c = 0; c < CHARACTERS; c++) {
        total += counts[c];
        if (counts[c]) sum += (double)counts[c] * log((double)counts[c]);
    }
    return total ? (double)total * log((double)total) - sum : 0;
}

Baselines baselines_of(const uint8_t *ids, size_t length) {
    size_t(*pairs)[CHARACTERS] = allocate(CHARACTERS, sizeof *pairs, "counts of pairs");
    size_t counts[CHARACTERS] = {0};
    for (size_t i = 0; i < length; i++) counts[ids[i]]++;
    for (size_t i = 1; i < length; i++) pairs[ids[i - 1]][ids[i]]++;
    Baselines baselines = {log(CHARACTERS), cost(counts) / (double)length, 0};
    for (int c = 0; c < CHARACTERS; c++) baselines.bigram += cost(pairs[c]) / (double)(length - 1);
    free(pairs);
    return baselines;
}

uint64_t text_fingerprint(const uint8_t *ids, size_t length) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ ids[i]) * 0x100000001b3u;
    return hash;
}
