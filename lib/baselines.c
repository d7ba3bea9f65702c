#include "baselines.h"

#include "characters.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>

/* Entropy of counts [100] that add up to total: -sum p ln p. */
static double entropy(const size_t *counts, size_t total) {
    double sum = 0;
    for (int c = 0; c < CHARACTERS; c++) {
        double p = (double)counts[c] / (double)total;
        if (counts[c]) sum -= p * log(p);
    }
    return sum;
}

Baselines baselines_of(const uint8_t *text, size_t length) {
    size_t(*pairs)[CHARACTERS] = allocate(CHARACTERS, sizeof *pairs, "counts of pairs");
    size_t counts[CHARACTERS] = {0};
    for (size_t i = 0; i < length; i++) counts[text[i]]++;
    for (size_t i = 1; i < length; i++) pairs[text[i - 1]][text[i]]++;
    Baselines baselines = {log(CHARACTERS), entropy(counts, length), 0};
    for (int c = 0; c < CHARACTERS; c++) {
        size_t total = counts[c];
        if (length && text[length - 1] == c) total--; /* the last character has no next */
        double share = (double)total / (double)(length - 1);
        if (total) baselines.bigram += entropy(pairs[c], total) * share;
    }
    free(pairs);
    return baselines;
}
