/* What every program stands on: memory and growing texts, foreign text made harmless, one line when several threads
   fail at once, the parallel loop. */
#ifdef __linux__
#define _GNU_SOURCE /* sched_setaffinity */
#endif
#include "../../lib/fail.h"
#include "../../lib/format.h"
#include "../../lib/memory.h"
#include "../../lib/threads.h"
#include "../check.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char said_path[] = "build/test/utilities.said";

/* ---- memory ---- */

static void test_grow(void) {
    size_t capacity = 0, wrong = 0;
    uint32_t *numbers = NULL;
    for (uint32_t i = 0; i < 100000; i++) {
        numbers = grow(numbers, &capacity, (size_t)i + 1, sizeof *numbers, "numbers");
        numbers[i] = i;
    }
    for (uint32_t i = 0; i < 100000; i++) wrong += numbers[i] != i;
    check(wrong == 0 && capacity >= 100000 && capacity < 200000,
          "an array grows to what is needed and keeps what it holds");
    free(numbers);
}

static void test_buffer(void) {
    Buffer buffer = {0};
    char expected[40000] = "";
    size_t length = 0;
    for (int i = 0; i < 2000; i++) {
        buffer_add(&buffer, "%d %s;", i, "word");
        length += (size_t)sprintf(expected + length, "%d %s;", i, "word");
    }
    check(buffer.length == length && !strcmp(buffer.text, expected),
          "a buffer holds what printf would print, however long it is");
    buffer_bytes(&buffer, "a\0b", 3);
    check(buffer.length == length + 3 && !memcmp(buffer.text + length, "a\0b", 4),
          "and bytes of any kind, and a NUL follows");
    buffer_free(&buffer);
    char *large = malloc(100001);
    memset(large, 'x', 100000);
    large[100000] = '\0';
    buffer_add(&buffer, "%s", large);
    check(buffer.length == 100000 && !strcmp(buffer.text, large),
          "one addition of 100,000 characters is whole");
    free(large);
    buffer_free(&buffer);
    check(!buffer.text && !buffer.length && !buffer.capacity, "a freed buffer is empty");
}

/* ---- foreign text ---- */

static void test_shown(void) {
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"plain", "plain"},
        {"", ""},
        {"a\nb\tc", "a?b?c"},
        {"\x1b[31m", "?[31m"},
        {"\x7f", "?"},
        {"caf\xc3\xa9 \xe2\x80\x99", "caf\xc3\xa9 \xe2\x80\x99"}, /* letters and quotes stay */
        {"\xc2\x9b"
         "31m",
         "?31m"},
        {"\xc2\x80", "?"},
        {"\xc2\xa0", "\xc2\xa0"}, /* U+009B, U+0080, U+00A0 */
        {"\x9b"
         "31m",
         "?31m"},
        {"caf\xe9", "caf?"},
        {"\xe2\x80", "??"},
        {"\xed\xa0\x80", "???"}, /* no UTF-8 */
        {"a\xe2\x80\xae"
         "b",
         "a?b"},
        {"a\xe2\x81\xa6"
         "b",
         "a?b"},
        {"a\xe2\x80\xa8"
         "b",
         "a?b"}, /* direction, line separator */
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}};
    size_t wrong = 0;
    Buffer buffer = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        wrong += strcmp(shown(cases[i].text, &buffer), cases[i].expected) != 0;
    check(wrong == 0,
          "what could command a terminal or forge a line is shown as ?, all else as itself");
    buffer_free(&buffer);
    char *plain = shell_word("out/a-b"), *quoted = shell_word("it's \x1b\xc2\x9b $x"),
         *empty = shell_word("");
    check(!strcmp(plain, "out/a-b") && !strcmp(quoted, "'it'\\''s ?? $x'") && !strcmp(empty, "''"),
          "a word for the shell is quoted where it must be");
    free(plain);
    free(quoted);
    free(empty);
    char number[64];
    check(!strcmp(grouped(0, number), "0") && !strcmp(grouped(999, number), "999") &&
              !strcmp(grouped(1115394, number), "1,115,394"),
          "thousands are separated");
    check(!strcmp(counted(1, "rows", number), "1 row") &&
              !strcmp(counted(1, "echoes", number), "1 echo") &&
              !strcmp(counted(1, "batches", number), "1 batch") &&
              !strcmp(counted(0, "phrases", number), "0 phrases") &&
              !strcmp(counted(2345, "echoes", number), "2,345 echoes"),
          "one thing is in the singular");
}

/* ---- what is said ---- */

/* What a child says on standard error that runs this; its exit status in *status. */
static char *said_by(void (*run)(void), int *status) {
    static char line[4096];
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen(said_path, "w", stderr)) _exit(9);
        run();
        exit(0);
    }
    waitpid(child, status, 0);
    *status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
    int file = open(said_path, O_RDONLY);
    ssize_t length = read(file, line, sizeof line - 1);
    line[length > 0 ? length : 0] = '\0';
    close(file);
    remove(said_path);
    return line;
}

static void ask_for_too_much(int member, size_t piece, void *argument) {
    (void)member, (void)piece, (void)argument;
    free(allocate(SIZE_MAX / 2, 4, "the table"));
}

static void fail_in_threads(void) {
    set_memory_advice("try a smaller --dim");
    Team *team = team_start(8);
    team_for(team, 64, ask_for_too_much, NULL);
}

static void fail_without_advice(void) { free(allocate(SIZE_MAX / 2, 4, "the table")); }
static void fail_with_controls(void) { fail("a\nb\xc2\x9b"); }

static void test_failures(void) {
    int status, wrong = 0;
    for (int i = 0; i < 50; i++) {
        const char *said = said_by(fail_in_threads, &status), *end = strchr(said, '\n');
        wrong += status != 1 || strncmp(said, "utilities: out of memory: the table needs ", 42) ||
                 !strstr(said, "; try a smaller --dim\n") || !end || end[1];
    }
    check(wrong == 0, "of several threads that fail one speaks: one line, status 1");
    const char *said = said_by(fail_without_advice, &status);
    check(status == 1 && strstr(said, " MB\n"),
          "a program without such options gives no advice about memory");
    said = said_by(fail_with_controls, &status);
    check(status == 1 && !strcmp(said, "utilities: a?b?\n"),
          "a message is one line without control characters");
}

/* ---- the parallel loop ---- */

typedef struct {
    uint8_t times[10007], members[10007];
} Visits;

static void visit(int member, size_t piece, void *argument) {
    Visits *visits = argument;
    visits->times[piece]++;
    visits->members[piece] = (uint8_t)member;
}

static void test_loop(void) {
    for (int size = 1; size <= 5; size += 2) {
        static Visits visits;
        visits = (Visits){0};
        Team *team = team_start(size);
        team_for(team, 0, visit, &visits);
        for (int round = 0; round < 3; round++) team_for(team, sizeof visits.times, visit, &visits);
        size_t wrong = 0;
        for (size_t i = 0; i < sizeof visits.times; i++)
            wrong += visits.times[i] != 3 || visits.members[i] >= size;
        check(wrong == 0, "a parallel loop of %d threads does each piece once", size);
        team_end(team);
    }
}

/* ---- processors ------------------------------------------------------------------------------- */

static const char root[] = "build/test/root";

/* Writes a file below root, making its folders. */
static void put(const char *path, const char *content) {
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0777);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    if (!file || fputs(content, file) < 0 || fclose(file)) exit(9);
}

static void test_processors(void) {
    check(system("rm -rf build/test/root") == 0 && isinf(group_processors(root)),
          "without control groups there is no limit");
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    check(isinf(group_processors(root)), "version 2: max is no limit");
    put("/sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
    check(group_processors(root) == 2.5, "version 2: a quota");
    put("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    check(group_processors(root) == 0.5, "version 2: that of a group around it");
    put("/proc/self/cgroup", "0::/elsewhere\n");
    put("/sys/fs/cgroup/cpu.max", "300000 100000\n");
    check(group_processors(root) == 3,
          "version 2: a container's own, whose group has another name outside");
    put("/proc/self/cgroup",
        "12:cpuset:/\n5:cpu,cpuacct:/c\n4:memory:/c\n1:name=systemd:/\nno line\n");
    put("/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
    check(isinf(group_processors(root)), "version 1: -1 is no limit");
    put("/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "150000\n");
    check(group_processors(root) == 1.5, "version 1: a quota");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    check(group_processors(root) == 1, "version 1: that of a group around it");
    check(processors() >= 1 && processors() <= 64, "there is a processor: %d", processors());
#ifdef CPU_COUNT
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        break;
    }
    sched_setaffinity(0, sizeof one, &one);
    check(processors() == 1, "bound to one processor there is one");
    sched_setaffinity(0, sizeof allowed, &allowed);
#endif
}

int main(void) {
    mkdir("build", 0777);
    mkdir("build/test", 0777);
    set_program_name("utilities");
    test_grow();
    test_buffer();
    test_shown();
    test_failures();
    test_loop();
    test_processors();
    return 0;
}
