/* options: what a command line may say, what is refused and how; --help fits 80 columns. */
#include "../../lib/options.h"
#include "../../lib/fail.h"
#include "../check.h"
#include "../child.h"

#include <stdlib.h>
#include <string.h>

/* Parses these words, NULL at their end, and prints what the variables are. Its status is 10 +
   operands. */
static void parse(const void *words) {
    size_t length = 500, every = 4;
    double rate = 0.1;
    const char *name = "out", *operands[2] = {"-", "-"};
    bool quiet = false;
    int count = 1;
    char *argv[16] = {"options"};
    for (char *const *word = words; *word; word++) argv[count++] = *word;
    Option table[] = {
        {GROUP, .name = "Things"},
        {COUNT, "length", 'n', &length, 0, 1000, "N", "characters to write"},
        {REAL, "rate", 0, &rate, 0, 1e30, "X",
         "a long explanation that goes on and on, so that it must be broken into lines of at most "
         "eighty columns, wherever that is"},
        {TEXT, "name", 'o', &name, 0, 0, "DIR", "where results go"},
        {FLAG, "a-flag-with-a-very-long-name", 'q', &quiet, 0, 1, NULL, "say nothing"},
        {COUNT, "every", 0, &every, 1, 9, "N", "for experiments", .advanced = true},
        {FLAG, "other", 0, &quiet, 0, 1, NULL, "for experiments", .advanced = true},
        {0}};
    size_t given = parse_options(count, argv, table, "usage\n", "examples\n", operands, 2);
    printf("%zu %g %s %d %zu %s %s given %d", length, rate, name, quiet, every, operands[0],
           operands[1], option_named(table, "length")->given);
    fflush(stdout);
    _exit((int)(10 + given));
}

#define WORDS(...) ((const char *[]){__VA_ARGS__, NULL})

static void gives(const char **words, int operands, const char *values) {
    Child child = in_child(parse, words);
    bool good = child.status == 10 + operands && !strcmp(child.said, values);
    check(good, "%s: %s", words[0], good ? values : child.said);
}

static void refused(const char **words, const char *line) {
    Child child = in_child(parse, words);
    char expected[512];
    snprintf(expected, sizeof expected, "options: %s\n", line);
    bool good = child.status == 2 && !strcmp(child.said, expected);
    check(good, "%s: %s", words[0], good ? line : child.said);
}

static void test_values(void) {
    gives(WORDS("a"), 1, "500 0.1 out 0 4 a - given 0");
    gives(WORDS("--length", "3", "a", "--rate=1e-3", "b"), 2, "3 0.001 out 0 4 a b given 1");
    gives(WORDS("-n3", "-q", "-o", "x"), 0, "3 0.1 x 1 4 - - given 1");
    gives(WORDS("-n", "3", "--", "-n", "--"), 2, "3 0.1 out 0 4 -n -- given 1");
    gives(WORDS("-", "--name=a=b"), 1, "500 0.1 a=b 0 4 - - given 0");
    gives(WORDS("--set", "every=9", "--set", "other=yes"), 0, "500 0.1 out 1 9 - - given 0");
    refused(WORDS("--length"), "--length needs a value: N; see --help");
    refused(WORDS("--length", "1001"), "--length: \"1001\" is not a whole number from 0 to 1000");
    refused(WORDS("--length", "-1"), "--length: \"-1\" is not a whole number from 0 to 1000");
    refused(WORDS("--length", "1e2"), "--length: \"1e2\" is not a whole number from 0 to 1000");
    refused(WORDS("--rate", "nan"), "--rate: \"nan\" is not a number of at least 0");
    refused(WORDS("--rate", "0x1"), "--rate: \"0x1\" is not a number of at least 0");
    refused(WORDS("--rate", "\v1"), "--rate: \"?1\" is not a number of at least 0");
    refused(WORDS("--rate", "1e999"), "--rate: \"1e999\" is not a number of at least 0");
    refused(WORDS("--name", ""),
            "--name: its value is empty: give DIR, or leave --name out; see --help");
    refused(WORDS("--a-flag-with-a-very-long-name=1"),
            "--a-flag-with-a-very-long-name takes no value");
    refused(WORDS("a", "b", "c"), "\"c\" is one argument too many; see --help");
    refused(WORDS("--set", "other=1"), "--set other: \"1\" is neither yes nor no");
    refused(WORDS("--set", "every"), "--set needs NAME=VALUE, not \"every\"; see --help");
    refused(WORDS("--set"), "--set needs NAME=VALUE; see --help");
}

static void test_names(void) {
    refused(WORDS("--lenght", "3"), "unknown option --lenght; did you mean --length?");
    refused(WORDS("--len=3"), "unknown option --len; did you mean --length?");
    refused(WORDS("--name-of-it"), "unknown option --name-of-it; did you mean --name?");
    refused(WORDS("--ratee"), "unknown option --ratee; did you mean --rate?");
    refused(WORDS("--every", "3"), "unknown option --every; did you mean --set every?");
    refused(WORDS("--set", "evry=3"), "unknown option --set evry; did you mean --set every?");
    refused(WORDS("--set", "length=3"), "unknown option --set length; did you mean --length?");
    static const char else_[] = "; see --help (what begins with - but is no option comes after --)";
    char line[256];
    const char *unknown[] = {"--momentum", "-Z", "- he said", "--x", "--\x1b[31m"};
    const char *shown[] = {"--momentum", "-Z", "- he said", "--x", "--?[31m"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        snprintf(line, sizeof line, "unknown option %s%s", shown[i], else_);
        refused(WORDS(unknown[i]), line);
    }
    char *endless = malloc(100001);
    memset(endless, '-', 100000);
    endless[100000] = '\0';
    Child child = in_child(parse, WORDS(endless));
    check(child.status == 2 && !strncmp(child.said, "options: unknown option ---", 27),
          "a word of 100,000 characters is refused");
    free(endless);
}

static void test_help(void) {
    Child child = in_child(parse, WORDS("--help"));
    size_t longest = 0;
    for (const char *line = child.said; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strcspn(line, "\n") > longest) longest = strcspn(line, "\n");
    }
    check(child.status == 0 && longest <= 80 && longest > 70,
          "--help fits 80 columns: the longest line has %zu", longest);
    static const char *const parts[] = {
        "usage\n\nThings\n", "  -n, --length N             characters to write (default 500)\n",
        "  -q, --a-flag-with-a-very-long-name say nothing\n",
        "--set NAME=VALUE       for experiments, with these names: every, other\n", "\nexamples\n"};
    size_t found = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        found += strstr(child.said, parts[i]) != NULL;
    check(found == sizeof parts / sizeof *parts && !strstr(child.said, "--every"),
          "--help shows each option, and of the advanced ones the names");
}

int main(void) {
    set_program_name("options");
    test_values();
    test_names();
    test_help();
    return 0;
}
