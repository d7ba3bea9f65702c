/* loss.csv as a resumed run reads it: whole rows up to a step, and nothing else. */
#include "../../lib/log.h"
#include "../../lib/safetensors.h"
#include "../check.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char path[] = "build/test/log.csv";
#define HEAD "step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds\n"
#define ROW(step) step ",0.2500,1000,3.500000,3.400000,4.905163,0.1,1.500\n"

/* How many rows are read from a text, -1 when it is refused, -2 when they are not printed as they were. */
static int rows_of(const char *text, size_t length) {
    Log rows;
    Buffer again = {0};
    file_write(entry_of(path), text, length);
    int count = log_load(&rows, entry_of(path)) ? (int)rows.count : -1;
    log_print(&rows, true, &again);
    if (count >= 0 && (again.length > length || memcmp(again.text, text, again.length))) count = -2;
    buffer_free(&again);
    log_free(&rows);
    return count;
}

#define ROWS_OF(text) rows_of(text, sizeof(text) - 1)

/* Is a row refused that is like those of a run but for one number? */
static bool is_refused(LogRow row) {
    Log log = {.rows = &row, .count = 1};
    Buffer text = {0};
    log_print(&log, true, &text);
    int count = rows_of(text.text, text.length);
    buffer_free(&text);
    return count == -1;
}

static const LogRow good_row = {1, 1000, 0.25, 3.5, 3.4, 4.9, 0.1, 1.5};

/* A row of numbers that no run has ends the program with status 1. */
static bool adding_fails(double train_loss, double val_loss, double seconds) {
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        Log rows = {0};
        if (!freopen("/dev/null", "w", stderr)) _exit(9);
        log_add(&rows, (LogRow){1, 1000, 0.25, train_loss, val_loss, 4.9, 0.1, seconds});
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* Numbers that no run has, one at a time in each column. */
static void test_ranges(void) {
    static const double bad[] = {-1, NAN, INFINITY, 1e300, -1e300, 1e41};
    check(!is_refused(good_row), "a row is read");
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
        LogRow rows[6];
        for (int i = 0; i < 6; i++) rows[i] = good_row;
        rows[0].epoch = rows[1].train_loss = rows[2].val_loss = rows[3].bits_per_char = rows[4].lr =
            rows[5].seconds = bad[b];
        for (int i = 0; i < 6; i++)
            check(is_refused(rows[i]), "refused: %g as number %d of a row", bad[b], i);
    }
    LogRow row = good_row;
    row.step = SIZE_MAX / 2 + 1;
    check(is_refused(row), "refused: a step that no run reaches");
    row = good_row;
    row.characters = SIZE_MAX / 2 + 1;
    check(is_refused(row), "refused: more characters than any run has");
}

/* The rows of a checkpoint take their seconds from loss.csv where it has the same rows. */
static void test_times(void) {
    static const char *const files[] = {
        HEAD ROW("1") ROW("2"),
        HEAD ROW("1") ROW("2") ROW("3"),
        HEAD ROW("1"),
        HEAD ROW("1") ROW("3"),
        HEAD ROW("1") "2,0.2500,1000,3.500000,3.400001,4.905163,0.1,1.500\n",
        HEAD ROW("1") ROW("2") "x",
        ""};
    static const bool same[] = {true, true, false, false, false, true, false};
    static const char untimed[] = HEAD "1,0.2500,1000,3.500000,3.400000,4.905163,0.1,0.000\n"
                                       "2,0.2500,1000,3.500000,3.400000,4.905163,0.1,0.000\n";
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        Log log;
        Buffer text = {0};
        buffer_add(&text, "%s", untimed);
        file_write(entry_of(path), files[f], strlen(files[f]));
        bool read = log_parse(&log, &text), timed = log_time(&log, entry_of(path));
        check(read && timed == same[f] && log.rows[1].seconds == (timed ? 1.5 : 0),
              "seconds from loss.csv %zu", f + 1);
        log_free(&log);
        buffer_free(&text);
    }
}

int main(void) {
    mkdir("build/test", 0777);
    check(ROWS_OF(HEAD) == 0, "a log without rows");
    check(ROWS_OF(HEAD ROW("1") ROW("2") ROW("3")) == 3, "a log of three rows");
    check(ROWS_OF("") == -1, "refused: an empty log");
    check(ROWS_OF("step,epoch\n1,2\n") == -1, "refused: a log with other columns");
    check(ROWS_OF(HEAD "1,0.2500,1000,3.500000,3.400000,4.905163,0.1\n") == -1,
          "refused: a row with a number too few");
    check(ROWS_OF(HEAD "1,0.2500,1000,3.500000,3.400000,4.905163,0.1,1.500,7\n") == -1,
          "refused: a row with a number too many");
    check(ROWS_OF(HEAD "1,0.2500,x,3.500000,3.400000,4.905163,0.1,1.500\n") == -1,
          "refused: a row with a word");
    check(ROWS_OF(HEAD ROW("-1")) == -1, "refused: a step below zero");
    check(ROWS_OF(HEAD ROW("nan")) == -1, "refused: a step that is no number");
    check(ROWS_OF(HEAD ROW("1") "2,0.2500,1000,3.500000,3.400000,4.905163,0.1,1.500") == -1,
          "refused: a row without its line end, to which the next would be joined");
    check(ROWS_OF(HEAD ROW("1") "2,0.2500,1000,3.500000,3.400000,4.905163,0.1,1.500\0\n") == -1,
          "refused: a row with a NUL");
    check(ROWS_OF(HEAD "1,0.2500,1000,3.500000,3.400000,4.905163,0.1,nan\n") == -1,
          "refused: seconds that are no number");
    check(ROWS_OF(HEAD "1,0.2500,1000,3.500000,3.400000,4.905163,0.1,inf\n") == -1,
          "refused: endless seconds");
    char wide[600] = HEAD "1,0.2500,1000,3.500000,3.400000,4.905163,0.1,1";
    memset(wide + strlen(wide), '0', 400);
    check(rows_of(wide, strlen(wide)) == -1, "refused: a row of 400 characters");
    check(ROWS_OF(HEAD ROW("2") ROW("1")) == -1, "refused: steps that go back");
    check(ROWS_OF(HEAD ROW("1") ROW("1")) == -1, "refused: a step twice");
    check(ROWS_OF(HEAD ROW("1") "2,0.5000,999,3.500000,3.400000,4.905163,0.1,1.500\n") == -1,
          "refused: fewer characters than before");
    check(ROWS_OF(HEAD ROW("1.5")) == -1, "refused: half a step");
    check(ROWS_OF(HEAD ROW(" 1")) == -1 && ROWS_OF(HEAD ROW("0x1")) == -1,
          "refused: what no run writes");
    test_ranges();
    test_times();
    Log rows = {0};
    Buffer whole = {0};
    log_add(&rows, (LogRow){0});
    log_add(&rows,
            (LogRow){SIZE_MAX / 4096, SIZE_MAX / 2, 1e6, 6.8e38, 6.8e38, 9.8e38, 1e30, 1e11});
    log_print(&rows, true, &whole);
    log_free(&rows);
    check(rows_of(whole.text, whole.length) == 2,
          "the largest row that can be is written whole and read back");
    buffer_free(&whole);
    static const double wrong[][3] = {{-1e300, 3, 1}, {3, 1e300, 1},    {3, 3, 1e300}, {-1, 3, 1},
                                      {NAN, 3, 1},    {3, INFINITY, 1}, {3, 3, -1}};
    for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++)
        check(adding_fails(wrong[w][0], wrong[w][1], wrong[w][2]),
              "no row of losses %g and %g after %g s", wrong[w][0], wrong[w][1], wrong[w][2]);
    check(!log_load(&rows, entry_of("build/test")), "refused: a folder as log");
    log_free(&rows);
    check(!log_load(&rows, entry_of("build/test/none.csv")), "refused: no log");
    log_free(&rows);
    check(!log_load(&rows, entry_of("/dev/zero")), "refused: a device as log");
    log_free(&rows);
    remove(path);
    bool made = mkfifo(path, 0600) == 0;
    check(made && !log_load(&rows, entry_of(path)),
          "refused: a FIFO as log, without waiting for a writer");
    log_free(&rows);
    remove(path);
    return 0;
}
