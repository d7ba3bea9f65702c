/* loss.csv as a resumed run reads it: whole rows up to a step, and nothing else. */
#include "../../lib/log.h"
#include "../check.h"
#include "../child.h"

#include <stdint.h>
#include <sys/stat.h>

static const char path[] = "build/test/log.csv";
#define HEAD "step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds\n"
#define REST ",3.500000,3.400000,4.905163,0.1,"
#define ROW(step) step ",0.2500,1000" REST "1.500\n"
static const LogRow good_row = {1, 1000, 0.25, 3.5, 3.4, 4.9, 0.1, 1.5};

/* How many rows are read from a text: -1: it is refused; -2: they are not printed as they were. */
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

static void test_texts(void) {
    static const char nul[] = HEAD ROW("1") "2,0.2500,1000" REST "1.500\0\n";
    static const struct {
        const char *name, *text;
        int rows;
    } texts[] = {
        {"a log without rows", HEAD, 0},
        {"a log of three rows", HEAD ROW("1") ROW("2") ROW("3"), 3},
        {"refused: an empty log", "", -1},
        {"refused: a log with other columns", "step,epoch\n1,2\n", -1},
        {"refused: a row with a number too few", HEAD "1,0.2500,1000,3.5,3.4,4.905163,0.1\n", -1},
        {"refused: a row with a number too many", HEAD "1,0.2500,1000" REST "1.500,7\n", -1},
        {"refused: a row with a word", HEAD "1,0.2500,x" REST "1.500\n", -1},
        {"refused: a step below zero", HEAD ROW("-1"), -1},
        {"refused: a step that is no number", HEAD ROW("nan"), -1},
        {"refused: a row without its line end", HEAD ROW("1") "2,0.2500,1000" REST "1.500", -1},
        {"refused: seconds that are no number", HEAD "1,0.2500,1000" REST "nan\n", -1},
        {"refused: endless seconds", HEAD "1,0.2500,1000" REST "inf\n", -1},
        {"refused: steps that go back", HEAD ROW("2") ROW("1"), -1},
        {"refused: a step twice", HEAD ROW("1") ROW("1"), -1},
        {"refused: fewer characters than before", HEAD ROW("1") "2,0.5000,999" REST "1.500\n", -1},
        {"refused: half a step", HEAD ROW("1.5"), -1},
        {"refused: a space before a step", HEAD ROW(" 1"), -1},
        {"refused: a step in hexadecimal", HEAD ROW("0x1"), -1}};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
        check(rows_of(texts[t].text, strlen(texts[t].text)) == texts[t].rows, "%s", texts[t].name);
    check(rows_of(nul, sizeof nul - 1) == -1, "refused: a row with a NUL");
    char wide[600] = HEAD "1,0.2500,1000" REST "1";
    memset(wide + strlen(wide), '0', 400);
    check(rows_of(wide, strlen(wide)) == -1, "refused: a row of 400 characters");
}

/* How many rows are read from what is printed of these. */
static int rows_again(const LogRow *rows, size_t count) {
    Log log = {.rows = (LogRow *)rows, .count = count};
    Buffer text = {0};
    log_print(&log, true, &text);
    int read = rows_of(text.text, text.length);
    buffer_free(&text);
    return read;
}

static void add_row(const void *row) {
    Log log = {0};
    log_add(&log, *(const LogRow *)row);
}

/* Numbers that no run has, one at a time in each column, are neither read nor added. */
static void test_ranges(void) {
    static const double bad[] = {-1, NAN, INFINITY, 1e300, -1e300, 1e41, 0 /* beyond[i] */};
    static const double beyond[] = {1.1e7, 7e38, 7e38, 1.4e39, 1.1e30, 1.1e12};
    static const LogRow large[] = {
        {0}, {SIZE_MAX / 4096, SIZE_MAX / 2, 1e6, 6.8e38, 6.8e38, 9.8e38, 1e30, 1e11}};
    LogRow steps = good_row, characters = good_row;
    check(rows_again(&good_row, 1) == 1, "a row is read");
    check(rows_again(large, 2) == 2, "the largest row that can be is written whole and read back");
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++)
        for (int i = 0; i < 6; i++) {
            LogRow added = good_row;
            double *const numbers[] = {&added.epoch,         &added.train_loss, &added.val_loss,
                                       &added.bits_per_char, &added.lr,         &added.seconds};
            *numbers[i] = bad[b] ? bad[b] : beyond[i];
            check(rows_again(&added, 1) == -1 && ends(add_row, &added, 1, "no losses of a run"),
                  "refused: %g as number %d of a row", *numbers[i], i);
        }
    steps.step = SIZE_MAX / 2 + 1;
    check(rows_again(&steps, 1) == -1, "refused: a step that no run reaches");
    characters.characters = SIZE_MAX / 2 + 1;
    check(rows_again(&characters, 1) == -1, "refused: more characters than any run has");
}

/* The rows of a checkpoint take their seconds from loss.csv where it has the same rows. */
static void test_times(void) {
    static const char untimed[] = HEAD "1,0.2500,1000" REST "0.000\n2,0.2500,1000" REST "0.000\n";
    static const struct {
        const char *text;
        bool same;
    } files[] = {{HEAD ROW("1") ROW("2"), true},
                 {HEAD ROW("1") ROW("2") ROW("3"), true},
                 {HEAD ROW("1") ROW("2") "x", true},
                 {HEAD ROW("1"), false},
                 {HEAD ROW("1") ROW("3"), false},
                 {HEAD ROW("1") "2,0.2500,1000,3.500000,3.400001,4.905163,0.1,1.500\n", false},
                 {"", false}};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        Log log;
        Buffer text = {0};
        buffer_add(&text, "%s", untimed);
        file_write(entry_of(path), files[f].text, strlen(files[f].text));
        bool read = log_parse(&log, &text), timed = log_time(&log, entry_of(path));
        check(read && timed == files[f].same && log.rows[1].seconds == (timed ? 1.5 : 0),
              "seconds from loss.csv %zu", f + 1);
        log_free(&log);
        buffer_free(&text);
    }
}

int main(void) {
    static const char *const none[] = {"build/test", "build/test/none.csv", "/dev/zero", path};
    Log rows;
    mkdir("build/test", 0777);
    test_texts();
    test_ranges();
    test_times();
    remove(path);
    if (mkfifo(path, 0600)) return 2;
    for (int i = 0; i < 4; i++) { /* a FIFO is not waited for */
        check(!log_load(&rows, entry_of(none[i])), "refused: a log that is %s", none[i]);
        log_free(&rows);
    }
    remove(path);
    return 0;
}
