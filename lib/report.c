#include "report.h"

#include "fail.h"
#include "memory.h"

#include <math.h>
#include <stdint.h>
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

/* A row holds 8 numbers, in a line of less than MAX_ROW bytes. */
enum { COLUMNS_OF_LOG = 8, MAX_ROW = 256 };

/* Are these numbers a row that a run can write? Each has its range. */
static bool possible_row(const double *values) {
    static const double most[COLUMNS_OF_LOG] = {
        (double)(SIZE_MAX / 2), 1e7,        (double)(SIZE_MAX / 2), MOST_LOSS,
        MOST_LOSS,              2 * MOST_LOSS, 1.00001e30,             1e12};
    bool possible = values[0] == floor(values[0]);
    for (int c = 0; c < COLUMNS_OF_LOG; c++) possible &= values[c] >= 0 && values[c] <= most[c];
    return possible;
}

void log_add(Log *rows, size_t step, double epoch, size_t characters, double train_loss, double held_out_loss, double rate, double seconds) {
    char line[MAX_ROW];
    double bits = held_out_loss / log(2);
    const double values[COLUMNS_OF_LOG] = {
        (double)step, epoch, (double)characters, train_loss, held_out_loss, bits, rate, seconds};
    int length = snprintf(line, sizeof line, "%zu,%.4f,%zu,%.6f,%.6f,%.6f,%.6g,%.3f\n", step, epoch, characters, train_loss, held_out_loss,
                          bits, rate, seconds);
    if (!possible_row(values) || length < 0 || (size_t)length >= sizeof line)
        fail("loss.csv: not written, for a number of batch %zu is out of range; start again", step);
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
    char line[MAX_ROW];
    double last[COLUMNS_OF_LOG] = {-1};
    bool good = fgets(line, sizeof line, file) && !strcmp(line, log_head);
    while (good && fgets(line, sizeof line, file)) {
        double values[COLUMNS_OF_LOG];
        int used = 0;
        good = sscanf(line, "%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf\n%n", &values[0], &values[1],
                      &values[2], &values[3], &values[4], &values[5], &values[6], &values[7],
                      &used) == COLUMNS_OF_LOG &&
               (size_t)used == strlen(line) && line[used - 1] == '\n' &&
               strspn(line, "0123456789.,+-e\n") == (size_t)used && possible_row(values) &&
               values[0] > last[0] && values[2] >= last[2];
        if (!good || values[0] > (double)last_step) break;
        memcpy(last, values, sizeof last);
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
