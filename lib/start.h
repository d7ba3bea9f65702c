/* start.h: where a model's rows began, and how far each has moved since. */
#ifndef START_H
#define START_H

#include "checkpoint.h"
#include "ranking.h"

/* start [100, dim]: where the characters' rows began, drawn again from the seed in a file or in a
   run's metadata; all other rows began at zero. NULL when the run began with another model's rows,
   or no seed and init-std stand there that a run can have. Free it with free(). */
float *start_of(const TensorFile *file, size_t dim);

/* The distance of a row from its start; exactly 0 when not one bit has changed. */
double distance_moved(const Model *model, const float *start, uint32_t row);

/* moves [100]: the characters by this distance, the farthest first; returns how many did not
   move. */
size_t rank_moves(const Model *model, const float *start, Scored *moves);

#endif
