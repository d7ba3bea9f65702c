/* rows.h: rows by name, by kind, and how far each moved. */
#ifndef ROWS_H
#define ROWS_H

#include "checkpoint.h"
#include "contexts.h"

typedef enum { CHARACTER_ROW, NGRAM_ROW, PHRASE_ROW, ECHO_ROW, COLUMN_ROW, ROW_KINDS } RowKind;
RowKind row_kind(const Contexts *contexts, uint32_t row);
const char *row_kind_name(RowKind kind); /* "characters", "n-grams", ... */

/* A text's ids with \n \t \r \\ \xHH taken for what they stand for; ids [strlen(text)]. Returns how many, 0 when
   something is no printable character. */
size_t unescaped_ids(const char *text, uint8_t *ids);

/* The row that row_name names so, with or without quotes; also the n-gram or character with just this text. NO_ROW: none. */
uint32_t named_row(const Contexts *contexts, const char *name);

/* The characters that stand in the training text: rows [100]; returns how many. */
size_t characters_seen(const SavedModel *saved, uint32_t *rows);

/* Where the characters' rows began: drawn again from the seed that the file tells. All others began at zero. */
typedef struct {
    bool known; /* false when the run started from another model's rows, or the file tells no seed
                   and init-std that a run can have */
    Model model;
} Start;

Start start_of(const SavedModel *saved);
void start_free(Start *start);

/* The distance of a row from its start; exactly 0 when not one bit has changed. Finite where the
   row is: squares of floats and their sums are doubles. */
double distance_moved(const SavedModel *saved, const Start *start, uint32_t row);

#endif
