/* start.h: where a model's rows began, and how far each has moved since. */
#ifndef START_H
#define START_H

#include "checkpoint.h"
#include "ranking.h"

/* Where the characters' rows began: drawn again from the seed in the file. All other rows began at
   zero. */
typedef struct {
    bool known; /* false when the run began with another model's rows, or the file has no seed
                   and init-std that a run can have */
    Model model;
} Start;

Start start_of(const SavedModel *saved);
void start_free(Start *start);

/* The distance of a row from its start; exactly 0 when not one bit has changed. */
double distance_moved(const SavedModel *saved, const Start *start, uint32_t row);

/* moves [100]: the characters by this distance, the farthest first; returns how many did not
   move. */
size_t rank_moves(const SavedModel *saved, const Start *start, Scored *moves);

/* rows [100]: the characters that the training text holds, all 100 where the file has no counts;
   returns how many. */
size_t characters_seen(const SavedModel *saved, uint32_t *rows);

#endif
