/* text.h: from a file's bytes to character ids, with an account of what had to be changed, and what
   can be known of a text without a model. docs/files.md says what becomes what. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters of one code point that were left out. */
typedef struct {
    uint32_t code;
    size_t count;
} LeftOut;

enum { NAMED = 8 };

typedef struct {
    uint8_t *ids; /* [length], each 0..99; the caller frees them */
    size_t length;
    size_t bytes, characters; /* read */
    const char *encoding;     /* NULL: UTF-8 */
    size_t windows_bytes;     /* that are no UTF-8 and were read as Windows-1252 */
    size_t line_ends;         /* CR LF, CR, U+0085, U+2028 and U+2029, which became LF */
    size_t replaced;     /* characters beyond ASCII that became ASCII or, combining, vanished */
    size_t left_out;     /* characters that are nothing in ASCII */
    LeftOut most[NAMED]; /* of these the most frequent, most first; a count of 0 ends them */
    const char *script;  /* that the first of these belongs to, NULL: to none */
    size_t first_offset; /* of the first of these, in bytes; its code point */
    uint32_t first_code;
} Text;

/* The text in a file ("-" is standard input). Fails with one line when there is none: a format that
   is no text, too many characters that are nothing in ASCII. strict: one is too many. */
Text text_read(const char *path, bool strict);

/* An argument of the command line, read by the same rules: its characters, to be freed. One that is
   nothing in ASCII is a wrong use; what names the argument: "the prompt". */
char *text_argument(const char *what, const char *argument);

/* Says on standard error in one line what was changed, if anything was. */
void text_notice(const Text *text, const char *path);

/* Losses that need no embedding, on a training part of at least two characters, in nats per
   character. */
typedef struct {
    double uniform; /* ln 100: knows nothing */
    double unigram; /* knows how frequent each character is */
    double bigram;  /* knows how frequent each pair is: no model of order 1 does better */
} Baselines;

Baselines baselines_of(const uint8_t *ids, size_t length);

/* A fingerprint of the ids (FNV-1a, 64 bits), to recognise a text. */
uint64_t text_fingerprint(const uint8_t *ids, size_t length);

#endif
