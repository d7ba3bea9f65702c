#include "log.h"

#include "fail.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char log_head[] = "step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds\n";

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

void log_add(Log *log, LogRow row) {
    if (!is_possible(&row))
        fail("the losses after step %zu (%g and %g) are no losses of a run; start again with a "
             "smaller --lr",
             row.step, row.train_loss, row.val_loss);
    log->rows = grow(log->rows, &log->capacity, log->count + 1, sizeof row, "the loss log");
    log->rows[log->count++] = row;
}

void log_print(const Log *log, bool timed, Buffer *text) {
    buffer_add(text, "%s", log_head);
    for (size_t i = 0; i < log->count; i++) {
        LogRow row = log->rows[i];
        if (!timed) row.seconds = 0;
        print_row(text, &row);
    }
}

void log_save(const Log *log, Entry entry) {
    Buffer text = {0};
    log_print(log, true, &text);
    file_write(entry, text.text, text.length);
    buffer_free(&text);
}

/* A line is a row when print_row prints it for the numbers that it holds. */
static bool parse_row(const char *line, size_t length, LogRow *row) {
    Buffer again = {0};
    if (sscanf(line, "%zu,%lf,%zu,%lf,%lf,%lf,%lf,%lf", &row->step, &row->epoch, &row->characters,
               &row->train_loss, &row->val_loss, &row->bits_per_char, &row->lr, &row->seconds) != 8)
        return false;
    print_row(&again, row);
    bool same = is_possible(row) && again.length == length && !memcmp(again.text, line, length);
    buffer_free(&again);
    return same;
}

bool log_parse(Log *log, const Buffer *text) {
    const size_t head = sizeof log_head - 1;
    *log = (Log){0};
    if (text->length < head || memcmp(text->text, log_head, head) != 0) return false;
    const char *line = text->text + head, *end = text->text + text->length;
    while (line < end) {
        size_t length = strcspn(line, "\n") + 1;
        LogRow row, last = {0};
        if (length > (size_t)(end - line) || !parse_row(line, length, &row)) return false;
        if (log->count) last = log->rows[log->count - 1];
        if (log->count && row.step <= last.step) return false;
        if (row.characters < last.characters) return false;
        log_add(log, row);
        line += length;
    }
    return true;
}

bool log_load(Log *log, Entry entry) {
    Buffer text = {0};
    *log = (Log){0};
    bool good = !file_read(entry, &text) && log_parse(log, &text);
    buffer_free(&text);
    return good;
}

bool log_time(Log *log, Entry entry) {
    Log file;
    log_load(&file, entry);
    bool same = file.count >= log->count;
    for (size_t i = 0; same && i < log->count; i++) {
        LogRow row = file.rows[i];
        row.seconds = log->rows[i].seconds;
        same = !memcmp(&row, &log->rows[i], sizeof row);
    }
    for (size_t i = 0; same && i < log->count; i++) log->rows[i].seconds = file.rows[i].seconds;
    log_free(&file);
    return same;
}

void log_free(Log *log) {
    free(log->rows);
    *log = (Log){0};
}
