/* vocabulary.h: which rows the embedding table has, and which of them are in a context's bag.

   A context is all the text before the character to predict; its bag is the rows that are summed.
   Place i of a text has the context text[0 .. i) and the target text[i]. The kinds of rows:

     characters   rows 0..99, one for each printable character: the context's last one
     n-grams      a string of 2..order characters with which the context ends
     phrases      the text since the last word began, and since the word before it began; in small
                  letters, each run of white space as one space
     echoes       "when the same key occurred last, character c followed": keys are the last 2, 3,
                  4, 6, 10, 16 or 32 characters, and the two texts of phrases as they stand. Some
                  keys have a row for each c and each case: the key occurred once so far; something
                  else followed the time before; c did then, too; and the time before that, too.
                  And "c followed the word the time before, something else since"; and "c stands
                  above in the previous line". The others have a row for each c
     columns      how many characters the line has so far, 0..80 and more

   A string has a row when the training text holds it min_count times, and its parent twice: an
   n-gram's without its first character, a phrase's without its last. So a bag that has an n-gram
   has all its parents. */
#ifndef VOCABULARY_H
#define VOCABULARY_H

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
    MAX_ECHOES = 11,
    ECHO_WINDOW = 1 << 22, /* an echo is from less than so many characters before */
    ECHO_WORDS = 100,   /* key 100 + w: the text of the last w words; 1..40: so many characters */
    ECHO_ABOVE = 103,   /* the place in the line */
    ECHO_EARLIER = 104, /* the last word, as 101, but the echo is from the time before the last */
    ECHO_CASES = 128,   /* added to a key: it has rows for each case */
    CASES = 4,
    MAX_ECHO_KEY = 40, /* characters: longer keys have no echo */
    COLUMNS = 81,
    MAX_GROUPS = MAX_ECHOES + 1,
    MAX_BAG = MAX_ORDER + PHRASE_WORDS + MAX_GROUPS,
    LIST_SAMPLE = 64 << 20, /* characters: of longer texts, evenly spread parts are listed */
    LIST_PARTS = 64,
    ROW_NAME = 4 * MAX_PHRASE + 32 /* bytes that hold any row's name */
};

typedef enum { CHARACTER_ROWS, NGRAM_ROWS, PHRASE_ROWS, ECHO_ROWS, COLUMN_ROWS, ROW_KINDS } RowKind;

typedef struct {
    int order;          /* the longest n-gram, 1..MAX_ORDER; 1: characters only */
    uint32_t min_count; /* at least 1 */
    uint32_t max_rows;  /* when more strings would get a row, the rarest get none */
    bool phrases, columns;
    int echoes; /* how many keys, 0..MAX_ECHOES */
    uint8_t echo_keys[MAX_ECHOES];
} RowOptions;

/* All rows, kind after kind: n-grams in the order of their text read backwards, phrases in that of
   their text, by ids; then groups of which a bag has at most one row: one for each key of echoes,
   one of the columns. */
typedef struct {
    RowOptions options;
    uint32_t min_count;            /* above options.min_count where max_rows made it so */
    bool sampled;                  /* the text was longer than LIST_SAMPLE */
    uint32_t rows, end[ROW_KINDS]; /* kind k has the rows end[k - 1] .. end[k] - 1 */
    uint32_t group[MAX_GROUPS];    /* the first row of each group */
    size_t room;                   /* for strings, while they are listed */
    uint32_t *parent;              /* [end[PHRASE_ROWS]]; NO_ROW for phrases of one character */
    uint8_t *letter; /* [end[PHRASE_ROWS]] the id by which a string extends its parent */
    uint32_t *count; /* [rows] strings: in the training text; groups: in its bags */
    uint32_t *slots; /* [slot_mask + 1] a hash table from (parent, letter) to the row */
    size_t slot_mask;
} Vocabulary;

/* The vocabulary of a training text. Takes about 12 bytes a character meanwhile. */
Vocabulary vocabulary_list(const uint8_t *text, size_t length, RowOptions options);

/* The same from a file's tensors (docs/files.md): ngrams [ngram_rows, order], each text at the end
   of its cell behind 0 bytes; phrases [phrase_rows, 2], the length and the last character of each.
   Returns false, with a reason, when they are no vocabulary. Counts are all 0. */
bool vocabulary_read(Vocabulary *vocabulary, RowOptions options, const uint8_t *ngrams,
                     size_t ngram_rows, const uint8_t *phrases, size_t phrase_rows,
                     const char **reason);
void vocabulary_free(Vocabulary *vocabulary);

/* ---- bags ---- */

/* The rows of a bag beside its n-grams, packed. */
typedef struct {
    uint32_t phrase[PHRASE_WORDS]; /* NO_ROW: none */
    uint16_t member[MAX_GROUPS];   /* which row of each group, NO_MEMBER: none */
} Beside;
enum { NO_MEMBER = UINT16_MAX };

/* The bags of places first .. first + count - 1 of a text. N-grams are apart: batches visit places
   in any order, and find them in few bytes. */
typedef struct {
    size_t first, count;
    const uint8_t *targets; /* [count] a part of the text */
    uint32_t *ngram; /* [count] the longest one's or the character's row, whose parents are in
                               the bag, too; NO_ROW: the context is empty */
    Beside *beside;  /* [count], NULL when n-grams are the only kind */
} Bags;

/* Finds the bags of a part of a text, which must outlive them. What stands before is context. */
Bags bags_find(Team *team, const Vocabulary *vocabulary, const uint8_t *text, size_t first,
               size_t count);
void bags_free(Bags *bags);

/* Adds these bags to the counts of the rows in groups. */
void bags_count(Vocabulary *vocabulary, const Bags *bags);

/* How many rows a bag has at most, from 1 to MAX_BAG. */
size_t largest_bag(const Vocabulary *vocabulary);

/* A bag's rows [MAX_BAG]: the longest n-gram and its parents, then (beside not NULL) the others.
   Returns how many. */
size_t bag_rows(const Vocabulary *vocabulary, uint32_t ngram, const Beside *beside, uint32_t *rows);

/* A text that comes one character at a time, and the bag of what came so far. */
typedef struct Stream Stream;
Stream *stream_start(const Vocabulary *vocabulary);
void stream_push(Stream *stream, uint8_t id);
size_t stream_rows(const Stream *stream, uint32_t *rows); /* as bag_rows */
void stream_end(Stream *stream);

/* ---- names ---- */

RowKind row_kind(const Vocabulary *vocabulary, uint32_t row);
const char *row_kind_name(RowKind kind); /* "characters", "n-grams", ... */

/* The text [MAX_PHRASE] of a character, an n-gram or a phrase, without end mark; returns its
   length, 0 for other rows. */
size_t row_text(const Vocabulary *vocabulary, uint32_t row, char *text);

/* The row's name as people read it, of which there is no second: a, "the ", ^"of t" (a phrase),
   echo 3: n, echo word often: n, column 12. Returns name [ROW_NAME]. */
char *row_name(const Vocabulary *vocabulary, uint32_t row, char *name);

/* The row of that name, or the n-gram or character with just this text. NO_ROW: none. */
uint32_t named_row(const Vocabulary *vocabulary, const char *name);

/* The row of a phrase with this text, or (NGRAM_ROWS) of an n-gram or character; NO_ROW: none. */
uint32_t string_row(const Vocabulary *vocabulary, RowKind kind, const uint8_t *ids, size_t length);

/* The row that stands for the same as a row of another vocabulary; NO_ROW: none. */
uint32_t same_row(const Vocabulary *vocabulary, const Vocabulary *other, uint32_t row);

#endif
