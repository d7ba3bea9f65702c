/* text.h: from a file's bytes to character ids, with an account of what had to be changed. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *ids; /* [length], each 0..99 */
    size_t length;
    size_t bytes;        /* read from the file */
    size_t line_ends;    /* CR LF that became LF */
    size_t look_alikes;  /* UTF-8 quotes, dashes, ellipses and spaces that became ASCII */
    size_t left_out;     /* bytes that are no printable character */
    size_t first_offset; /* of the first byte left out */
    unsigned first_byte; /* and its value */
    size_t counts[256];  /* how often each byte was left out */
} Text;

/* The text in a file ("-" is standard input), fails with one line when there is none.
   strict: a byte outside the 100 characters is an error. */
Text text_read(const char *path, bool strict);

/* Says on standard error in one line what was changed, if anything was. */
void text_notice(const Text *text, const char *path);

/* A fingerprint of the ids (FNV-1a, 64 bits), to recognise a text. */
uint64_t text_fingerprint(const uint8_t *ids, size_t length);


/* An argument of the command line as characters, to be freed. What is none of the 100 is a wrong
   use; what names the argument: "the prompt". */
char *text_argument(const char *what, const char *argument);

#endif
