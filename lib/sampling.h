/* sampling.h: from a context to the next character. */
#ifndef SAMPLING_H
#define SAMPLING_H

#include "checkpoint.h"
#include "ranking.h"
#include "vocabulary.h"

/* The context in which a text of this kind begins: the last OPENING characters, at most, of a
   training text up to its last blank line; where it has none up to its last line's end, else space,
   else its end. opening [OPENING + 1] becomes a string; model files keep it under "opening". */
enum { OPENING = 96 };
void find_opening(const uint8_t *ids, size_t length, char *opening);

/* Puts that context into a stream that was just started. Of a file without one: a blank line, or a
   line's end, when the training text had these. */
void stream_begin(Stream *stream, const SavedModel *saved);

/* With max_norm, what nn.Embedding does when it looks up rows: shortens those that are longer. */
void shorten_rows(SavedModel *saved);

/* logits [LOGITS] of the character after the stream's text, masked by mask_unseen. Fails when the
   model holds numbers that are not finite; where these are, but a sum of them is not, finite_logits
   returns false, and next_logits fails, too. */
bool finite_logits(const SavedModel *saved, const Stream *stream, float *logits);
void next_logits(const SavedModel *saved, const Stream *stream, float *logits);

/* Logits [100] of characters that the training text lacks become -INFINITY; none does when the file
   has no counts. */
void mask_unseen(const Vocabulary *vocabulary, float *logits);

/* Has the file counts of rows? */
bool counts_known(const Vocabulary *vocabulary);

/* p [100] = softmax(logits / temperature); exactly 0 where a logit is -INFINITY. */
void tempered_softmax(const float *logits, double temperature, float *p);

typedef struct {
    double temperature; /* below 1 the likely become likelier; below 0.001: always the likeliest */
    size_t top_k;       /* only so many of the likeliest; 0: all */
    double top_p;       /* only the fewest that together have this probability; 1: all */
} Sampling;

/* Draws a character from softmax(logits / temperature). */
uint8_t draw_character(const float *logits, Sampling sampling, Random *random);

/* All 100 characters by values [100], the one with the largest first: ranked [100]. */
void rank_characters(const float *values, Scored *ranked);

#endif
