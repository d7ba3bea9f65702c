/* sampling.h: from a context to the next character. */
#ifndef SAMPLING_H
#define SAMPLING_H

#include "checkpoint.h"
#include "vocabulary.h"

typedef struct {
    double temperature; /* below 1 the likely become likelier; below 0.001: always the likeliest */
    size_t top_k;       /* only so many of the likeliest; 0: all */
    double top_p;       /* only the fewest that together have this probability; 1: all */
} Sampling;

/* Puts a stream that was just started where a text begins: behind a blank line when the model has a row for one, else behind
   the end of a line when it has seen one. */
void stream_begin(Stream *stream, const Vocabulary *vocabulary);

/* logits [LOGITS] of the character after the stream's text. Fails when the model holds numbers
   that are not finite; where these are, but a sum of them is not, finite_logits returns false, and
   next_logits fails, too. */
bool finite_logits(const SavedModel *saved, const Stream *stream, float *logits);
void next_logits(const SavedModel *saved, const Stream *stream, float *logits);

/* Draws a character from softmax(logits / temperature); uses up the logits. */
uint8_t draw_character(float *logits, Sampling sampling, Random *random);

typedef struct {
    double value;
    uint8_t id;
} Candidate;

/* All 100 characters, the one with the largest value first: values [100], candidates [100]. */
void rank_characters(const double *values, Candidate *candidates);

#endif
