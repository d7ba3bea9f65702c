#include "report.h"

#include "fail.h"
#include "memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Entropy of counts [100] that add up to total: -sum p ln p. */
static double entropy(const size_t *counts, size_t total) {
    double sum = 0;
    for (int c = 0; c < CHARACTERS; c++)
        if (counts[c]) sum -= (double)counts[c] / (double)total * log((double)counts[c] / (double)total);
    return sum;
}

Yardsticks yardsticks(const uint8_t *text, size_t length) {
    size_t(*pairs)[CHARACTERS] = allocate(CHARACTERS, sizeof *pairs, "counts of pairs"), counts[CHARACTERS] = {0};
    for (size_t i = 0; i < length; i++) counts[text[i]]++;
    for (size_t i = 1; i < length; i++) pairs[text[i - 1]][text[i]]++;
    Yardsticks result = {log(CHARACTERS), entropy(counts, length), 0};
    for (int c = 0; c < CHARACTERS; c++) {
        size_t total = counts[c] - (length && text[length - 1] == c); /* the last character has no next */
        if (total) result.conditional += entropy(pairs[c], total) * (double)total / (double)(length - 1);
    }
    free(pairs);
    return result;
}

/* ---- loss.csv --------------------------------------------------------------------------------- */

static const char log_head[] = "step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds\n";

/* A NUL follows the text: sscanf looks for one. */
static void log_append(Log *rows, const char *line, size_t length) {
    if (rows->length + length >= rows->capacity) {
        rows->capacity = 2 * (rows->length + length) + 1024;
        rows->text = reallocate(rows->text, rows->capacity, 1, "the loss log");
    }
    memcpy(rows->text + rows->length, line, length);
    rows->length += length;
    rows->text[rows->length] = '\0';
}

void log_start(Log *rows) {
    *rows = (Log){0};
    log_append(rows, log_head, sizeof log_head - 1);
}

void log_add(Log *rows, size_t step, double epoch, size_t characters, double train_loss, double held_out_loss, double rate, double seconds) {
    char line[256];
    int length = snprintf(line, sizeof line, "%zu,%.4f,%zu,%.6f,%.6f,%.6f,%.6g,%.3f\n", step, epoch, characters, train_loss, held_out_loss,
                          held_out_loss / log(2), rate, seconds);
    log_append(rows, line, (size_t)length);
    rows->count++;
    rows->seconds = seconds;
}

/* Opening a FIFO would wait for a writer. */
static bool is_regular(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

bool log_load(Log *rows, const char *path, size_t last_step) {
    log_start(rows);
    FILE *file = is_regular(path) ? fopen(path, "r") : NULL;
    if (!file) return false;
    char line[256];
    bool good = fgets(line, sizeof line, file) && !strcmp(line, log_head);
    while (good && fgets(line, sizeof line, file)) {
        double values[8];
        int used = 0;
        good = sscanf(line, "%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf\n%n", &values[0], &values[1], &values[2], &values[3], &values[4], &values[5],
                      &values[6], &values[7], &used) == 8 && (size_t)used == strlen(line) && line[used - 1] == '\n' && values[0] >= 0 &&
               isfinite(values[7]);
        if (!good || values[0] > (double)last_step) break;
        log_append(rows, line, (size_t)used);
        rows->count++;
        rows->seconds = values[7];
    }
    good &= !ferror(file);
    fclose(file);
    return good;
}

void log_free(Log *rows) {
    free(rows->text);
    *rows = (Log){0};
}

/* ---- the live line ---------------------------------------------------------------------------- */

void progress_line(Progress *progress, const char *line) {
    double now = seconds_now();
    if (!progress->live || now - progress->last < 0.1) return;
    progress->last = now;
    fprintf(stderr, "\r%.110s\033[K", line);
}

void progress_clear(Progress *progress) {
    if (progress->live) fprintf(stderr, "\r\033[K");
}
