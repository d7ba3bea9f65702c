/* loss.csv as a resumed run reads it: whole rows up to a step, and nothing else. */
#include "../../lib/report.h"
#include "../../lib/safetensors.h"
#include "../check.h"

#include <string.h>
#include <sys/stat.h>

static const char path[] = "build/test/log.csv";
#define HEAD "step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds\n"
#define ROW(step) step ",0.2500,1000,3.500000,3.400000,4.905163,0.1,1.500\n"

/* How many rows are read from a text, -1 when it is refused. */
static int rows_of(const char *text, size_t length, size_t last_step) {
    Log rows;
    text_write(path, text, length);
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
    Log rows;
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
