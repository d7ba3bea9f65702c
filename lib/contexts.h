/* contexts.h: which rows of the embedding table a context switches on.

   A context is all the text before the character to predict. Five kinds of rows look at it:

     characters   rows 0..99, one for each printable character: the last character's is on
     n-grams      a string of 2..order characters: on when the context ends with it
     phrases      what stands since the last word began, and since the word before it began; in small
                  letters, and any white space as one space
     echoes       "the last time the same key stood before, c followed": keys are the last 2, 3, 4, 6 or
                  8 characters, the text since the last word began, and since the word before it
                  began; each has 100 rows, one for each c, and at most one of them is on
     columns      how many characters the line has so far, 0..80 and more

   A string gets a row when it stands in the training text at least min_count times and, where it is one
   letter longer than another string's row, when that one stands there at least twice. The shorter
   suffixes of an n-gram stand there too, so each n-gram's row knows the row of its text without the
   first character, its parent; all rows of the chain are on together. The shorter prefixes of a
   phrase stand there too, so a phrase's parent is its text without the last character. Characters
   are the roots of the one tree, NO_ROW is the root of the other. */
#ifndef CONTEXTS_H
#define CONTEXTS_H

#include "characters.h"
#include "threads.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_ROW UINT32_MAX

enum {
    MAX_ORDER = 32,
    MAX_PHRASE = 40, /* characters: longer phrases have no row */
    PHRASE_WORDS = 2,
    MAX_ECHOES = 8,
    ECHO_WINDOW = 1 << 14, /* characters: how far back an echo is heard */
    ECHO_WORDS = 100,      /* a key of 100 + w is the text of the last w words; smaller ones are characters */
    MAX_ECHO_KEY = 40,     /* characters: longer keys have no echo */
    NO_ECHO = 255,
    COLUMNS = 81,
    NO_COLUMN = 255,
    MAX_ROWS_ON = MAX_ORDER + PHRASE_WORDS + MAX_ECHOES + 1
};

/* What kinds of rows there are; the same options give the same rows on the same text. */
typedef struct {
    int order;           /* the longest n-gram, 1..MAX_ORDER; 1: characters only */
    uint32_t min_count;  /* how often a string must stand in the training text, at least 1 */
    uint32_t max_rows;   /* when more strings would get a row, the rarest go */
    bool phrases, columns;
    int echoes;          /* how many keys of echoes, 0..MAX_ECHOES */
    uint8_t echo_keys[MAX_ECHOES];
} RowOptions;

/* All rows. Row r stands for the text letter[r] + text(parent[r]) (n-grams) or
   text(parent[r]) + letter[r] (phrases). */
typedef struct {
    RowOptions options;
    uint32_t min_count;   /* the least that got a row: above options.min_count when max_rows bit */
    uint32_t rows;        /* all of them; the kinds follow each other: */
    uint32_t ngrams_end;  /* n-grams are rows 100..ngrams_end-1, in the order of their text read backwards */
    uint32_t phrases_end; /* phrases follow, in alphabetical order (by character id), */
    uint32_t echoes_end;  /* then 100 rows for each echo key, then the columns */
    uint32_t *parent;     /* [phrases_end] */
    uint8_t *letter;      /* [phrases_end] character ids */
    uint32_t *count;      /* [rows] how often the row was on in the training text */
    uint32_t *slots;      /* hash table from (parent, letter) to the row, NO_ROW when empty */
    size_t slot_mask;
} Contexts;

/* Lists the rows of a training text. Time: about order passes; memory: 8 bytes a character beside
   the result. Of a text beyond LIST_SAMPLE characters, evenly spread stretches are listed. */
enum { LIST_SAMPLE = 64 << 20 };
Contexts contexts_list(Team *team, const uint8_t *text, size_t length, RowOptions options);

/* The same from a file's tensors (see checkpoint.h): ngrams [ngram_rows, order] and phrases
   [phrase_rows, phrase_width], characters right-aligned and padded with 0 bytes in front. Returns
   false, with a reason, when they do not make trees. Counts are all 0. */
bool contexts_from_texts(Contexts *contexts, RowOptions options, const uint8_t *ngrams, size_t ngram_rows,
                         const uint8_t *phrases, size_t phrase_rows, size_t phrase_width, const char **reason);

void contexts_free(Contexts *contexts);

/* The text of an n-gram's or a phrase's row, without end mark; returns its length (at most MAX_PHRASE), 0 for other rows. */
size_t row_text(const Contexts *contexts, uint32_t row, char *text);

/* The row's name as people read it: a, "the ", ^"of t" (a phrase), echo 4: n, echo word: n, column 12. Returns name. */
enum { ROW_NAME = 4 * MAX_PHRASE + 32 };
char *row_name(const Contexts *contexts, uint32_t row, char *name);

/* The n-gram (or character) row of a text, NO_ROW when there is none. */
uint32_t ngram_row(const Contexts *contexts, const uint8_t *ids, size_t length);
/* The phrase row of a text, NO_ROW when there is none. */
uint32_t phrase_row(const Contexts *contexts, const uint8_t *ids, size_t length);

/* What one context switches on beside an n-gram, packed. */
typedef struct {
    uint32_t phrase[PHRASE_WORDS]; /* rows or NO_ROW */
    uint8_t echo[MAX_ECHOES];      /* for each key the character that followed, or NO_ECHO */
    uint8_t column;                /* characters in the line so far, or NO_COLUMN */
} Others;

/* What the positions of a stretch of text switch on: position first + i predicts text[first + i] from
   text[0 .. first + i). Apart, so that batches, which visit positions in any order, find n-grams in few bytes. */
typedef struct {
    size_t first, count;
    const uint8_t *next; /* [count] the characters to predict: a part of the text */
    uint32_t *ngram;     /* [count] the longest n-gram's row; the shorter ones are its parents; NO_ROW: no history */
    Others *others;      /* [count], NULL when n-grams are the only kind */
} Found;

/* Looks up the rows of positions first .. first + count - 1; text before first is context. The text must outlive the result. */
Found contexts_find(Team *team, const Contexts *contexts, const uint8_t *text, size_t first, size_t count);
void found_free(Found *found);

/* Adds to the counts of echoes and columns how often they are on at these positions (strings were counted when listed). */
void contexts_count(Contexts *contexts, const Found *found);

/* How many rows a context switches on at most, from 1 to MAX_ROWS_ON. */
size_t most_rows_on(const Contexts *contexts);

/* The rows that are on at one position: its longest n-gram and the shorter ones, longest first, and (others not NULL) what rows_beside gives;
   rows [MAX_ROWS_ON]; returns how many. */
size_t rows_on(const Contexts *contexts, uint32_t ngram, const Others *others, uint32_t *rows);

/* Phrases, echoes and the column; returns how many. */
size_t rows_beside(const Contexts *contexts, const Others *others, uint32_t *rows);

/* The same for a text that comes one character at a time, as when sampling. */
typedef struct Stream Stream;
Stream *stream_start(const Contexts *contexts);
void stream_push(Stream *stream, uint8_t id);
size_t stream_rows(const Stream *stream, uint32_t *rows);
void stream_end(Stream *stream);

#endif
