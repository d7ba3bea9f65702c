/* What every program stands on: memory and growing texts, foreign text made harmless, one line when
   several threads fail at once, the parallel loop. */
#ifdef __linux__
#define _GNU_SOURCE /* sched_setaffinity */
#endif
#include "../../lib/fail.h"
#include "../../lib/format.h"
#include "../../lib/memory.h"
#include "../../lib/threads.h"
#include "../check.h"
#include "../child.h"

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- lines ---- */

/* A line in a terminal of every width, even of one column, in which nothing can be indented. */
static void test_wrapped(void) {
    static const char line[] = "  a name    and what it means, in several-and-longer words";
    size_t narrow = 0, wide = 0;
    for (size_t width = 1; width <= 80; width++) {
        char *text = NULL;
        size_t size = 0, longest = 0, letters = 0;
        FILE *file = open_memstream(&text, &size);
        print_wrapped(file, line, width, 12);
        fclose(file);
        for (char *part = strtok(text, "\n"); part; part = strtok(NULL, "\n")) {
            longest = strlen(part) > longest ? strlen(part) : longest;
            for (const char *c = part; *c; c++) letters += *c != ' ';
        }
        narrow += letters == 45;
        wide += width < 13 || longest <= width;
        free(text);
    }
    check(narrow == 80, "a line keeps its letters, however narrow the terminal");
    check(wide == 80, "and is nowhere wider than it");
}

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
    /* letters and quotes stay; U+009B, U+0080, U+00A0; no UTF-8; direction, line separator */
    static const char *const cases[][2] = {{"plain", "plain"},
                                           {"", ""},
                                           {"a\nb\tc", "a?b?c"},
                                           {"\x1b[31m", "?[31m"},
                                           {"\x7f", "?"},
                                           {"caf\xc3\xa9 \u2019", "caf\xc3\xa9 \u2019"},
                                           {"\302\23331m", "?31m"},
                                           {"\xc2\x80", "?"},
                                           {"\xc2\xa0", "\xc2\xa0"},
                                           {"\23331m", "?31m"},
                                           {"caf\xe9", "caf?"},
                                           {"\xe2\x80", "??"},
                                           {"\xed\xa0\x80", "???"},
                                           {"a\u202eb", "a?b"},
                                           {"a\u2066b", "a?b"},
                                           {"a\u2028b", "a?b"},
                                           {"\U0001f600", "\U0001f600"}};
    size_t wrong = 0;
    Buffer buffer = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        wrong += strcmp(shown(cases[i][0], &buffer), cases[i][1]) != 0;
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

static void ask_for_too_much(int member, size_t piece, void *argument) {
    (void)member, (void)piece, (void)argument;
    free(allocate(SIZE_MAX / 2, 4, "the table"));
}

static void fail_in_threads(const void *argument) {
    (void)argument;
    set_memory_advice("try a smaller --dim");
    team_for(team_start(8), 64, ask_for_too_much, NULL);
}

static void fail_without_advice(const void *argument) {
    (void)argument;
    ask_for_too_much(0, 0, NULL);
}

static void fail_with(const void *text) { fail("%s", (const char *)text); }

static void test_failures(void) {
    int wrong = 0;
    for (int i = 0; i < 50; i++) {
        Child child = in_child(fail_in_threads, NULL);
        wrong += !ended(&child, 1, "; try a smaller --dim\n") ||
                 strncmp(child.said, "utilities: out of memory: the table needs ", 42);
    }
    check(wrong == 0, "of several threads that fail one speaks: one line, status 1");
    Child child = in_child(fail_without_advice, NULL);
    check(child.status == 1 && strstr(child.said, " MB\n"),
          "a program without such options gives no advice about memory");
    child = in_child(fail_with, "a\nb\xc2\x9b");
    check(child.status == 1 && !strcmp(child.said, "utilities: a?b?\n"),
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

/* ---- processors ---- */

#define ROOT "build/test/root"
#define V2 "/sys/fs/cgroup/"
#define V1 "/sys/fs/cgroup/cpu,cpuacct/"

/* Files below ROOT that come one after another, and what is then granted: NAN says that another
   file is needed. */
static const struct {
    const char *path, *content;
    double granted;
    const char *name;
} groups[] = {
    {"/proc/self/cgroup", "0::/a/b\n", INFINITY, "version 2: a group without files has no limit"},
    {V2 "a/b/cpu.max", "max 100000\n", INFINITY, "version 2: max is no limit"},
    {V2 "a/b/cpu.max", "250000 100000\n", 2.5, "version 2: a quota"},
    {V2 "a/cpu.max", "50000 100000\n", 0.5, "version 2: that of a group around it"},
    {"/proc/self/cgroup", "0::/elsewhere\n", NAN, ""},
    {V2 "cpu.max", "300000 100000\n", 3,
     "version 2: a container's own, whose group has another name outside"},
    {"/proc/self/cgroup", "12:cpuset:/\n5:cpu,cpuacct:/c\n4:memory:/c\n1:name=systemd:/\nno line\n",
     NAN, ""},
    {V1 "c/cpu.cfs_quota_us", "-1\n", NAN, ""},
    {V1 "c/cpu.cfs_period_us", "100000\n", INFINITY, "version 1: -1 is no limit"},
    {V1 "c/cpu.cfs_quota_us", "150000\n", 1.5, "version 1: a quota"},
    {V1 "cpu.cfs_quota_us", "100000\n", NAN, ""},
    {V1 "cpu.cfs_period_us", "100000\n", 1, "version 1: that of a group around it"},
};

static void test_processors(void) {
    check(system("rm -rf " ROOT) == 0 && isinf(group_processors(ROOT)),
          "without control groups there is no limit");
    if (system("mkdir -p " ROOT "/proc/self " ROOT V2 "a/b " ROOT V1 "c")) exit(9);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        char path[256];
        snprintf(path, sizeof path, ROOT "%s", groups[i].path);
        FILE *file = fopen(path, "w");
        if (!file || fputs(groups[i].content, file) < 0 || fclose(file)) exit(9);
        double expected = groups[i].granted;
        if (!isnan(expected)) check(group_processors(ROOT) == expected, "%s", groups[i].name);
    }
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
    test_wrapped();
    test_grow();
    test_buffer();
    test_shown();
    test_failures();
    test_loop();
    test_processors();
    return 0;
}
