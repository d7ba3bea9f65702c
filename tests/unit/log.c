/* loss.csv as a resumed run reads it: whole rows up to a step, and nothing else. */
#include "../../lib/report.h"
#include "../../lib/safetensors.h"
#include "../check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char path[] = "build/test/log.csv";
#define HEAD "step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds\n"
#define ROW(step) step ",0.2500,1000,3.500000,3.400000,4.905163,0.1,1.500\n"

/* How many rows are read from a text, -1 when it is refused. */
static int rows_of(const char *text, size_t length, size_t last_step) {
    Log rows;
    file_write(entry_of(path), text, length);
    int count = log_load(&rows, path, last_step) ? (int)rows.count : -1;
    if (count >= 0) {
        size_t lines = 0;
        for (size_t i = 0; i < rows.length; i++) lines += rows.text[i] == '\n';
        if (rows.text[rows.length] || lines != rows.count + 1 || rows.text[rows.length - 1] != '\n' || strncmp(rows.text, HEAD, sizeof HEAD - 1)) count = -2;
    }
    log_free(&rows);
    return count;
}

#define ROWS_OF(text, last_step) rows_of(text, sizeof(text) - 1, last_step)

/* A row of numbers that no run has ends the program with status 1. */
static bool adding_fails(double train_loss, double held_out_loss, double seconds) {
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        Log rows;
        if (!freopen("/dev/null", "w", stderr)) _exit(9);
        log_start(&rows);
        log_add(&rows, 1, 0.25, 1000, train_loss, held_out_loss, 0.1, seconds);
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

int main(void) {
    mkdir("build/test", 0777);
    check(ROWS_OF(HEAD, 9) == 0, "a log without rows");
    check(ROWS_OF(HEAD ROW("1") ROW("2") ROW("3"), 9) == 3, "a log of three rows");
    check(ROWS_OF(HEAD ROW("1") ROW("2") ROW("3"), 2) == 2, "rows behind the step to resume from are left out");
    check(ROWS_OF("", 9) == -1, "refused: an empty log");
    check(ROWS_OF("step,epoch\n1,2\n", 9) == -1, "refused: a log with other columns");
    check(ROWS_OF(HEAD "1,0.25,1000,3.5,3.4,4.9,0.1\n", 9) == -1, "refused: a row with a number too few");
    check(ROWS_OF(HEAD "1,0.25,1000,3.5,3.4,4.9,0.1,1.5,7\n", 9) == -1, "refused: a row with a number too many");
    check(ROWS_OF(HEAD "1,0.25,x,3.5,3.4,4.9,0.1,1.5\n", 9) == -1, "refused: a row with a word");
    check(ROWS_OF(HEAD ROW("-1"), 9) == -1, "refused: a step below zero");
    check(ROWS_OF(HEAD ROW("nan"), 9) == -1, "refused: a step that is no number");
    check(ROWS_OF(HEAD ROW("1") "2,0.2500,1000,3.500000,3.400000,4.905163,0.1,1.5", 9) == -1, "refused: a row without its line end, to which the next would be joined");
    check(ROWS_OF(HEAD ROW("1") "2,0.2500,1000,3.500000,3.400000,4.905163,0.1,1.5\0\n", 9) == -1, "refused: a row with a NUL");
    check(ROWS_OF(HEAD "1,0.25,1000,3.5,3.4,4.9,0.1,nan\n", 9) == -1, "refused: seconds that are no number");
    check(ROWS_OF(HEAD "1,0.25,1000,3.5,3.4,4.9,0.1,1e999\n", 9) == -1, "refused: endless seconds");
    char wide[600] = HEAD "1,0.25,1000,3.5,3.4,4.9,0.1,1";
    memset(wide + strlen(wide), '0', 400);
    check(rows_of(wide, strlen(wide), 9) == -1, "refused: a row of 400 characters");
    check(ROWS_OF(HEAD ROW("2") ROW("1"), 9) == -1, "refused: steps that go back");
    check(ROWS_OF(HEAD ROW("1") ROW("1"), 9) == -1, "refused: a step twice");
    check(ROWS_OF(HEAD "1,0.25,1000,3.5,3.4,4.9,0.1,1\n2,0.5,999,3.5,3.4,4.9,0.1,1\n", 9) == -1,
          "refused: fewer characters than before");
    check(ROWS_OF(HEAD ROW("1.5"), 9) == -1, "refused: half a step");
    check(ROWS_OF(HEAD ROW(" 1"), 9) == -1 && ROWS_OF(HEAD ROW("0x1"), 9) == -1,
          "refused: what no run writes");
    static const char *const bad[] = {"-1", "nan", "inf", "1e300", "-1e300", "1e41"};
    for (int column = 1; column < 8; column++)
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            char text[600] = HEAD "1";
            for (int c = 1; c < 8; c++)
                snprintf(text + strlen(text), sizeof text - strlen(text), ",%s",
                         c == column ? bad[b] : "1");
            strcat(text, "\n");
            check(rows_of(text, strlen(text), 9) == -1, "refused: %s in column %d", bad[b],
                  column + 1);
        }
    Log rows;
    log_start(&rows);
    log_add(&rows, 0, 0, 0, 0, 0, 0, 0);
    log_add(&rows, SIZE_MAX / 4096, 1e6, SIZE_MAX / 2, 6.8e38, 6.8e38, 1e30, 1e11);
    char *whole = strdup(rows.text);
    log_free(&rows);
    check(rows_of(whole, strlen(whole), SIZE_MAX) == 2,
          "the largest row that can be is written whole and read back");
    free(whole);
    static const double wrong[][3] = {{-1e300, 3, 1}, {3, 1e300, 1},    {3, 3, 1e300}, {-1, 3, 1},
                                      {NAN, 3, 1},    {3, INFINITY, 1}, {3, 3, -1}};
    for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++)
        check(adding_fails(wrong[w][0], wrong[w][1], wrong[w][2]),
              "no row of losses %g and %g after %g s", wrong[w][0], wrong[w][1], wrong[w][2]);
    check(!log_load(&rows, "build/test", 9), "refused: a folder as log");
    log_free(&rows);
    check(!log_load(&rows, "build/test/none.csv", 9), "refused: no log");
    log_free(&rows);
    check(!log_load(&rows, "/dev/zero", 9), "refused: a device as log");
    log_free(&rows);
    remove(path);
    bool made = mkfifo(path, 0600) == 0;
    check(made && !log_load(&rows, path, 9), "refused: a FIFO as log, without waiting for a writer");
    log_free(&rows);
    remove(path);
    return 0;
}
