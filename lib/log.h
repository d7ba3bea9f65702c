/* log.h: loss.csv, the losses of a run: one row for each evaluation. */
#ifndef LOG_H
#define LOG_H

#include "folder.h"

/* No loss is above this, the difference of two floats, in nats per character. */
#define MOST_LOSS 6.9e38

typedef struct {
    size_t step, characters; /* done so far */
    double epoch, train_loss, val_loss, bits_per_char, lr, seconds;
} LogRow;

typedef struct {
    LogRow *rows; /* [count] */
    size_t count, capacity;
} Log;

/* Adds a row; fails with one line when log_load would refuse it. */
void log_add(Log *log, LogRow row);

/* The whole file, added to a buffer, all seconds 0 when it is not timed; and written. */
void log_print(const Log *log, bool timed, Buffer *text);
void log_save(const Log *log, Entry entry);

/* Reads rows into an empty log. Returns false when the text is not one that log_print printed for a
   run: the rows before the first wrong one are read. */
bool log_parse(Log *log, const Buffer *text);
bool log_load(Log *log, Entry entry);

/* Takes the seconds from a file whose rows are otherwise the same; false when one is not there. */
bool log_time(Log *log, Entry entry);
void log_free(Log *log);

#endif
