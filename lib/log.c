#include "log.h"

#include "fail.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char log_head[] = "step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds\n";
enum { MAX_LINE = 256 };

static void print_row(Buffer *text, const LogRow *row) {
    buffer_add(text, "%zu,%.4f,%zu,%.6f,%.6f,%.6f,%.6g,%.3f\n", row->step, row->epoch,
               row->characters, row->train_loss, row->val_loss, row->bits_per_char, row->lr,
               row->seconds);
}

/* Are these numbers that a run can have? */
static bool is_possible(const LogRow *row) {
    const double values[] = {row->epoch,         row->train_loss, row->val_loss,
                             row->bits_per_char, row->lr,         row->seconds};
    static const double most[] = {1e7, MOST_LOSS, MOST_LOSS, 2 * MOST_LOSS, 1.00001e30, 1e12};
    bool possible = row->step <= SIZE_MAX / 2 && row->characters <= SIZE_MAX / 2;
    for (int i = 0; i < 6; i++) possible = possible && values[i] >= 0 && values[i] <= most[i];
    return possible;
}

static void append_row(Log *log, LogRow row) {
    log->rows = grow(log->rows, &log->capacity, log->count + 1, sizeof row, "the loss log");
    log->rows[log->count++] = row;
}

void log_add(Log *log, LogRow row) {
    if (!is_possible(&row))
        fail("the losses after step %zu (%g and %g) are no losses of a run; start again with a "
             "smaller --lr",
             row.step, row.train_loss, row.val_loss);
    append_row(log, row);
}

void log_print(const Log *log, Buffer *text) {
    buffer_add(text, "%s", log_head);
    for (size_t i = 0; i < log->count; i++) print_row(text, &log->rows[i]);
}

void log_save(const Log *log, Entry entry) {
    Buffer text = {0};
    log_print(log, &text);
    file_write(entry, text.text, text.length);
    buffer_free(&text);
}

/* A line is a row when print_row prints it for the numbers that it holds. */
static bool parse_row(const char *line, LogRow *row) {
    Buffer again = {0};
    if (sscanf(line, "%zu,%lf,%zu,%lf,%lf,%lf,%lf,%lf", &row->step, &row->epoch, &row->characters,
               &row->train_loss, &row->val_loss, &row->bits_per_char, &row->lr, &row->seconds) != 8)
        return false;
    print_row(&again, row);
    bool same = is_possible(row) && strcmp(again.text, line) == 0;
    buffer_free(&again);
    return same;
}

/* Steps rise, and characters do not fall. */
static bool follows(const Log *log, const LogRow *row) {
    if (!log->count) return true;
    const LogRow *last = &log->rows[log->count - 1];
    return row->step > last->step && row->characters >= last->characters;
}

/* Opens a regular file: opening a FIFO would wait for a writer. NULL: there is none. */
static FILE *open_regular(Entry entry) {
    int descriptor = openat(entry.folder, entry.name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat about;
    if (descriptor < 0) return NULL;
    if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode)) return fdopen(descriptor, "r");
    close(descriptor);
    return NULL;
}

bool log_load(Log *log, Entry entry, size_t last_step) {
    *log = (Log){0};
    FILE *file = open_regular(entry);
    if (!file) return false;
    char line[MAX_LINE];
    LogRow row;
    bool good = fgets(line, sizeof line, file) && strcmp(line, log_head) == 0;
    while (good && fgets(line, sizeof line, file)) {
        good = parse_row(line, &row) && follows(log, &row);
        if (!good || row.step > last_step) break;
        append_row(log, row);
    }
    good = good && !ferror(file);
    fclose(file);
    return good;
}

void log_free(Log *log) {
    free(log->rows);
    *log = (Log){0};
}
