/* The text reader: every look-alike, CR LF, what is left out and how it is told, wherever the bytes are cut between two
   reads: at the end of the reader's buffer, and in pieces that come one by one. */
#include "../../lib/text.h"
#include "../../lib/characters.h"
#include "../../lib/fail.h"
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

/* What is read, what must come of it, and what must be told: how many CR LF, look-alikes, bytes left out. Items that
   leave bytes out begin with one. */
typedef struct {
    const char *bytes;
    size_t size;
    const char *becomes;
    size_t line_ends, look_alikes, left_out;
} Item;

#define LOOK_ALIKE(bytes, becomes) {bytes, sizeof bytes - 1, becomes, 0, 1, 0}
#define LINE_END(bytes, becomes) {bytes, sizeof bytes - 1, becomes, 1, 0, 0}
#define KEPT(bytes) {bytes, sizeof bytes - 1, bytes, 0, 0, 0}
#define LEFT_OUT(bytes, becomes, count) {bytes, sizeof bytes - 1, becomes, 0, 0, count}

static const Item items[] = {
    LOOK_ALIKE("\xe2\x80\x98", "'"), LOOK_ALIKE("\xe2\x80\x99", "'"), LOOK_ALIKE("\xe2\x80\x9a", "'"), LOOK_ALIKE("\xe2\x80\x9b", "'"),
    LOOK_ALIKE("\xe2\x80\x9c", "\""), LOOK_ALIKE("\xe2\x80\x9d", "\""), LOOK_ALIKE("\xe2\x80\x9e", "\""), LOOK_ALIKE("\xe2\x80\x9f", "\""),
    LOOK_ALIKE("\xe2\x80\x90", "-"), LOOK_ALIKE("\xe2\x80\x91", "-"), LOOK_ALIKE("\xe2\x80\x92", "-"), LOOK_ALIKE("\xe2\x80\x93", "-"),
    LOOK_ALIKE("\xe2\x80\x94", "--"), LOOK_ALIKE("\xe2\x80\x95", "--"), LOOK_ALIKE("\xe2\x80\xa6", "..."),
    LOOK_ALIKE("\xc2\xa0", " "), LOOK_ALIKE("\xe2\x80\xaf", " "), LOOK_ALIKE("\xe2\x80\x87", " "),
    LINE_END("\r\n", "\n"), LINE_END("\r\r\n", "\r\n"), LINE_END("\n\r\n", "\n\n"),
    KEPT("\r"), KEPT(" \t\n"), KEPT("\x0b\x0c"), KEPT("a"),
    LEFT_OUT("\x80", "", 1), LEFT_OUT("\xff", "", 1), LEFT_OUT("\0", "", 1), LEFT_OUT("\x7f", "", 1), LEFT_OUT("\x1b[", "[", 1),
    LEFT_OUT("\xc3\xa9", "", 2), LEFT_OUT("\xe2\x82\xac", "", 3), LEFT_OUT("\xf0\x9f\x98\x80", "", 4),
    LEFT_OUT("\xe2\x80z", "z", 2), LEFT_OUT("\xe2z", "z", 1), LEFT_OUT("\xc2z", "z", 1), LEFT_OUT("\xe2\r", "\r", 1),
    {"\xe2\xe2\x80\x99", 4, "'", 0, 1, 1}, {"\xe2\x80\xe2\x80\xa6", 5, "...", 0, 1, 2}, {"\xc2\xc2\xa0", 3, " ", 0, 1, 1}, {"\xe2\r\n", 3, "\n", 1, 0, 1},
};
enum { ITEMS = sizeof items / sizeof *items };

/* Bytes and what must come of them, in all. */
typedef struct {
    unsigned char bytes[2 * BUFFER];
    char becomes[2 * BUFFER];
    size_t size, length, line_ends, look_alikes, left_out, first_offset;
} Sample;

static void add(Sample *sample, const Item *item) {
    memcpy(sample->bytes + sample->size, item->bytes, item->size);
    size_t length = strlen(item->becomes);
    memcpy(sample->becomes + sample->length, item->becomes, length);
    if (!sample->left_out && item->left_out) sample->first_offset = sample->size;
    sample->size += item->size;
    sample->length += length;
    sample->line_ends += item->line_ends;
    sample->look_alikes += item->look_alikes;
    sample->left_out += item->left_out;
}

/* A sample that begins with so many letters: too many bytes left out of too few would not be taken for text. */
static Sample *letters(size_t count) {
    static Sample sample;
    memset(sample.bytes, 'm', count);
    memset(sample.becomes, 'm', count);
    sample.size = sample.length = count;
    sample.line_ends = sample.look_alikes = sample.left_out = sample.first_offset = 0;
    return &sample;
}

static void add_items(Sample *sample) {
    for (size_t i = 0; i < ITEMS; i++) add(sample, &items[i]);
}

/* Did the reader make of the sample what it must? Frees the text. */
static bool as_expected(Text *text, const Sample *sample) {
    bool same = text->length == sample->length && text->bytes == sample->size && text->line_ends == sample->line_ends &&
                text->look_alikes == sample->look_alikes && text->left_out == sample->left_out;
    for (size_t i = 0; same && i < text->length; i++) same = character_of(text->ids[i]) == sample->becomes[i];
    if (sample->left_out) same &= text->first_offset == sample->first_offset && text->first_byte == sample->bytes[sample->first_offset];
    size_t counted = 0;
    for (int byte = 0; byte < 256; byte++) counted += text->counts[byte];
    free(text->ids);
    return same && counted == sample->left_out;
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
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 && as_expected(&text, sample);
}

/* ---- what becomes of what --------------------------------------------------------------------- */

static size_t utf8(unsigned code, char *bytes) {
    if (code < 0x800) return bytes[0] = (char)(0xc0 | code >> 6), bytes[1] = (char)(0x80 | (code & 63)), 2;
    return bytes[0] = (char)(0xe0 | code >> 12), bytes[1] = (char)(0x80 | (code >> 6 & 63)), bytes[2] = (char)(0x80 | (code & 63)), 3;
}

static const char *look_alike_of(unsigned code) {
    if (code >= 0x2018 && code <= 0x201b) return "'";
    if (code >= 0x201c && code <= 0x201f) return "\"";
    if (code >= 0x2010 && code <= 0x2013) return "-";
    if (code == 0x2014 || code == 0x2015) return "--";
    if (code == 0x2026) return "...";
    return code == 0xa0 || code == 0x2007 || code == 0x202f ? " " : NULL;
}

/* Every character of UTF-8's two and three bytes, each behind enough letters: no other one becomes anything. */
static void test_every_character(void) {
    size_t wrong = 0, look_alikes = 0;
    unsigned code = 0x80;
    while (code < 0x10000) {
        Sample *sample = letters(0);
        for (unsigned end = code + 16384; code < end && code < 0x10000; code++) {
            char bytes[4];
            const char *ascii = look_alike_of(code);
            size_t size = utf8(code, bytes);
            add(sample, &(Item)KEPT("thirty letters stand before it"));
            add(sample, &(Item){bytes, size, ascii ? ascii : "", 0, ascii != NULL, ascii ? 0 : size});
        }
        look_alikes += sample->look_alikes;
        wrong += !read_from_file(sample);
    }
    check(wrong == 0 && look_alikes == 18, "of the characters U+0080 to U+FFFF 18 become their look-alikes, all others are left out");
}

static void test_items(void) {
    size_t wrong = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        Sample *sample = letters(100);
        add(sample, &items[i]);
        wrong += !read_from_file(sample); /* at the end of the text */
        sample = letters(50);
        add(sample, &items[i]);
        memset(sample->bytes + sample->size, 'm', 50);
        memset(sample->becomes + sample->length, 'm', 50);
        sample->size += 50;
        sample->length += 50;
        wrong += !read_from_file(sample); /* within it */
    }
    check(wrong == 0, "each look-alike, CR LF, CR alone, broken sequence, control character; within a text and at its end");
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
    check(wrong == 0, "the end of the reader's buffer at each of %zu places changes nothing", size + 1);
}

static void test_pieces(void) {
    enum { BEFORE = 1000 };
    Sample *sample = letters(BEFORE);
    add_items(sample);
    size_t wrong = 0;
    for (size_t cut = BEFORE; cut <= sample->size; cut++) wrong += !read_in_pieces(sample, cut, sample->size);
    check(wrong == 0, "standard input that comes in two parts, cut at each of %zu places", sample->size - BEFORE + 1);
    for (size_t piece = 1; piece <= 5; piece++)
        check(read_in_pieces(sample, 1, piece), "standard input that comes in pieces of %zu", piece);
}

static void test_ends(void) {
    static const Item ends[] = {KEPT("\r"), LINE_END("\r\n", "\n"), LEFT_OUT("\xe2", "", 1), LEFT_OUT("\xe2\x80", "", 2), LEFT_OUT("\xc2", "", 1),
                                LOOK_ALIKE("\xc2\xa0", " "), LOOK_ALIKE("\xe2\x80\xa6", "..."), LEFT_OUT("\xe2\r", "\r", 1)};
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
    if (!file || fwrite(sample->bytes, 1, sample->size, file) != sample->size || fclose(file)) return false;
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
    if (strcmp(line, wanted)) printf("note it says: %s", line);
    return !strcmp(line, wanted);
}

static void test_notice(void) {
    const Item line_end = LINE_END("\r\n", "\n"), quote = LOOK_ALIKE("\xe2\x80\x99", "'"), euro = LEFT_OUT("\xe2\x82\xac", "", 3);
    Sample *sample = letters(100);
    check(says(sample, NULL), "of printable ASCII nothing is said");
    add(sample, &line_end);
    add(sample, &line_end);
    check(says(sample, "2 CR LF became LF"), "what is said of CR LF");
    sample = letters(100);
    for (int i = 0; i < 3; i++) add(sample, &quote);
    check(says(sample, "3 UTF-8 quotes, dashes, ellipses or spaces became ASCII"), "what is said of look-alikes");
    sample = letters(100);
    add(sample, &euro);
    add(sample, &euro);
    check(says(sample, "6 bytes that are not printable ASCII were left out, the first at offset 100: 0x82 x 2 0xac x 2 0xe2 x 2"), "what is said of bytes left out");
    sample = letters(20000);
    for (int i = 0; i < 1234; i++) {
        add(sample, &line_end);
        add(sample, &quote);
    }
    for (int i = 0; i < 500; i++) add(sample, &euro);
    check(says(sample, "1,234 CR LF became LF; 1,234 UTF-8 quotes, dashes, ellipses or spaces became ASCII; 1,500 bytes that are not printable ASCII were "
                       "left out, the first at offset 26170: 0x82 x 500 0xac x 500 0xe2 x 500"), "what is said of all three, in one line");
    sample = letters(200);
    for (char byte = 1; byte <= 9; byte++)
        if (byte != '\t') add(sample, &(Item){&byte, 1, "", 0, 0, 1});
    add(sample, &(Item)LEFT_OUT("\x7f", "", 1));
    check(says(sample, "9 bytes that are not printable ASCII were left out, the first at offset 200: 0x01 x 1 0x02 x 1 0x03 x 1 0x04 x 1 0x05 x 1 0x06 x 1 "
                       "0x07 x 1 0x08 x 1 ..."), "of many kinds of bytes eight are named");
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
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 1 && one_line && strstr(line, "is not text: 6");
    if (good) check(usage.ru_maxrss < 200000, "a text that is %s: one line, %ld MB of memory", name, usage.ru_maxrss / 1000);
    else check(false, "a text that is %s: status %d, it said: %s", name, status, line);
}

int main(void) {
    mkdir("build/test", 0777);
    set_program_name("test_text");
    test_every_character();
    test_items();
    test_end_of_buffer();
    test_pieces();
    test_ends();
    test_notice();
    test_hole(2300000000, "a hole of 2.3 GB");
    test_hole(5000000000, "a hole of 5 GB");
    test_hole(1000000000000, "a hole of 1 TB");
    remove(path);
    return 0;
}
