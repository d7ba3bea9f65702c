/* tiny.h: a text of a few words, and options of a run on it, for tests and fuzzers. */
#ifndef TINY_H
#define TINY_H

#include "../lib/trainer.h"

static const char tiny_text[] =
    "the cat and the dog and the cat sat on the mat and the dog sat on the cat";
enum { TINY = sizeof tiny_text - 1 };

static const RunOptions tiny_run = {.dim = 1,
                                    .batch = 8,
                                    .epochs = 3,
                                    .seed = 1,
                                    .embedding_lr = 0.1,
                                    .linear_lr = 0.1,
                                    .final_lr = 1,
                                    .deviation = 1};

/* Rows of every kind. */
static const RowOptions tiny_rows = {.order = 4,
                                     .min_count = 2,
                                     .max_rows = 60,
                                     .phrases = true,
                                     .columns = true,
                                     .echoes = 2,
                                     .echo_keys = {3, ECHO_WORDS + 1}};

static inline void tiny_ids(uint8_t ids[TINY]) {
    for (size_t i = 0; i < TINY; i++) ids[i] = (uint8_t)id_of((unsigned char)tiny_text[i]);
}

#endif
