#include "options.h"

#include "fail.h"
#include "format.h"
#include "memory.h"
#include "version.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

/* The fewest digits, from 9 on, that stand for just this number. */
static void number_text(double number, char *value, size_t size) {
    for (int digits = 9; digits <= 17; digits++) {
        snprintf(value, size, "%.*g", digits, number);
        if (strtod(value, NULL) == number) return;
    }
}

char *option_text(const Option *option) {
    char number[64];
    const char *text = number;
    switch (option->kind) {
    case FLAG: text = *(bool *)option->value ? "yes" : "no"; break;
    case COUNT: snprintf(number, sizeof number, "%zu", *(size_t *)option->value); break;
    case REAL: number_text(*(double *)option->value, number, sizeof number); break;
    default: text = *(const char **)option->value; break;
    }
    return text_escaped(text ? text : "");
}

static bool option_set(Option *option, const char *text) {
    size_t digits = strspn(text, "0123456789");
    char *end;
    double number = strtod(text, &end);
    bool within = number >= option->low && number <= option->high; /* a NaN is not */
    switch (option->kind) {
    case COUNT: /* digits only; a double would lose the last bits of large numbers */
        if (digits == 0 || digits > 19 || text[digits] || !within) return false;
        if (strtoull(text, NULL, 10) > SIZE_MAX) return false;
        *(size_t *)option->value = (size_t)strtoull(text, NULL, 10);
        return true;
    case REAL: /* strtod takes white space and hexadecimal numbers, too */
        if (end == text || *end || strpbrk(text, " \t\n\r\v\fxX") || !within) return false;
        *(double *)option->value = number;
        return true;
    case FLAG:
        *(bool *)option->value = strcmp(text, "yes") == 0;
        return !strcmp(text, "yes") || !strcmp(text, "no");
    default: *(const char **)option->value = text; return true;
    }
}

bool option_restore(Option *option, const char *text) {
    if (option->kind != TEXT) return option_set(option, text);
    free(option->restored);
    option->restored = text_unescaped(text);
    return option_set(option, option->restored);
}

void options_free(Option *options) {
    for (; options->name; options++) {
        free(options->restored);
        options->restored = NULL;
    }
}

/* ---- names ---- */

static Option *find_option(Option *options, const char *name, size_t length) {
    for (; options->name; options++)
        if (options->kind != GROUP && strlen(options->name) == length &&
            !strncmp(options->name, name, length))
            return options;
    return NULL;
}

Option *option_named(Option *options, const char *name) {
    return find_option(options, name, strlen(name));
}

/* How many letters must be changed, added or removed to make b of a (Levenshtein 1966), when that
   is at most `most`; else more. */
static size_t edit_distance(const char *a, const char *b, size_t most) {
    for (; *a && *a == *b; a++) b++;
    if (*a == *b) return 0;
    if (most == 0) return 1;
    size_t changed = most, added = most, removed = most;
    if (*a && *b) changed = edit_distance(a + 1, b + 1, most - 1);
    if (*b) added = edit_distance(a, b + 1, most - 1);
    if (*a) removed = edit_distance(a + 1, b, most - 1);
    return 1 + smaller(changed, smaller(added, removed));
}

bool is_nearer(const char *word, const char *name, size_t *distance) {
    enum { MOST = 3 };
    size_t length = strlen(word), name_length = strlen(name);
    size_t shorter = smaller(length, name_length);
    size_t wrong = edit_distance(word, name, MOST);
    if (shorter >= 3 && !strncmp(word, name, shorter)) wrong = 1; /* temp, batch-size */
    if (wrong > MOST || wrong > length / 3 + 1 || wrong >= shorter || wrong >= *distance)
        return false;
    *distance = wrong;
    return true;
}

/* ---- --help ---- */

enum { LEFT = 29, WIDTH = 80 }; /* columns before the explanations, and in all */

/* Prints left and, beside it, help. */
static void print_entry(const char *left, const char *help) {
    Buffer line = {0};
    buffer_add(&line, "  %-*s %s", LEFT - 3, left, help);
    print_wrapped(stdout, line.text, WIDTH, LEFT);
    buffer_free(&line);
}

static void print_option(const Option *option) {
    char start[] = "    ", *value = option_text(option);
    Buffer left = {0}, help = {0};
    if (option->letter) snprintf(start, sizeof start, "-%c, ", option->letter);
    buffer_add(&left, "%s--%s", start, option->name);
    if (option->argument) buffer_add(&left, " %s", option->argument);
    buffer_add(&help, "%s", option->help);
    if (option->kind != FLAG && *value && !strstr(help.text, "default"))
        buffer_add(&help, " (default %s)", value);
    print_entry(left.text, help.text);
    buffer_free(&left);
    buffer_free(&help);
    free(value);
}

static void print_advanced(const Option *options) {
    Buffer names = {0};
    for (; options->name; options++)
        if (options->advanced)
            buffer_add(&names, "%s %s",
                       names.text ? "," : "for experiments, with these names:", options->name);
    if (!names.text) return;
    printf("\n");
    print_entry("    --set NAME=VALUE", names.text);
    buffer_free(&names);
}

static _Noreturn void print_help(const Option *options, const char *usage, const char *examples) {
    printf("%s", usage);
    for (const Option *option = options; option->name; option++) {
        if (option->kind == GROUP)
            printf("\n%s\n", option->name);
        else if (!option->advanced)
            print_option(option);
    }
    print_advanced(options);
    printf("\n");
    print_entry("-h, --help", "this text");
    print_entry("    --version", "the version: " VERSION);
    printf("\n%s", examples);
    flush_output();
    exit(0);
}

/* ---- parsing ---- */

/* Ends the program: there is no option of this name, up to a =, that is given with this prefix. */
static _Noreturn void refuse_name(const Option *options, const char *prefix, const char *name) {
    Buffer word = {0};
    buffer_add(&word, "%.*s", (int)strcspn(name, "="), name);
    const Option *nearest = NULL;
    for (size_t distance = SIZE_MAX; options->name; options++)
        if (options->kind != GROUP && is_nearer(word.text, options->name, &distance))
            nearest = options;
    if (nearest)
        wrong_use("unknown option %s%s; did you mean %s%s?", prefix, word.text,
                  nearest->advanced ? "--set " : "--", nearest->name);
    wrong_use(
        "unknown option %s%s; see --help (what begins with - but is no option comes after --)",
        prefix, word.text);
}

static void set_or_refuse(Option *option, const char *text) {
    const char *name = option->name;
    option->given = true;
    if (option->kind == TEXT && !*text)
        wrong_use("--%s: its value is empty: give %s, or leave --%s out; see --help", name,
                  option->argument, name);
    if (option_set(option, text)) return;
    if (option->kind == FLAG) wrong_use("--set %s: \"%s\" is neither yes nor no", name, text);
    const char *whole = option->kind == COUNT ? "whole " : "";
    if (option->high >= 1e18)
        wrong_use("--%s: \"%s\" is not a %snumber of at least %.15g", name, text, whole,
                  option->low);
    wrong_use("--%s: \"%s\" is not a %snumber from %.15g to %.15g", name, text, whole, option->low,
              option->high);
}

/* The option with this name, and in *value what follows a = within the word, NULL when nothing
   does. Ends the program when there is none, or when it is given in the other way. */
static Option *option_of(Option *options, bool advanced, const char *name, const char **value) {
    size_t length = strcspn(name, "=");
    Option *option = find_option(options, name, length);
    *value = name[length] ? name + length + 1 : NULL;
    if (!option || option->advanced != advanced)
        refuse_name(options, advanced ? "--set " : "--", name);
    return option;
}

static Option *option_of_letter(Option *options, const char *word, const char **value) {
    Option *option = options;
    *value = word[2] ? word + 2 : NULL;
    while (option->name && option->letter != word[1]) option++;
    if (!option->name) refuse_name(options, "-", word + 1);
    return option;
}

size_t parse_options(int argc, char **argv, Option *options, const char *usage,
                     const char *examples, const char **operands, size_t most) {
    size_t count = 0;
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value;
        if (only_operands || word[0] != '-' || !word[1]) {
            if (count == most) wrong_use("\"%s\" is one argument too many; see --help", word);
            operands[count++] = word;
        } else if (!strcmp(word, "--")) {
            only_operands = true;
        } else if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
            print_help(options, usage, examples);
        } else if (!strcmp(word, "--version")) {
            printf("%s\n", VERSION);
            flush_output();
            exit(0);
        } else if (!strcmp(word, "--set")) {
            if (++i == argc) wrong_use("--set needs NAME=VALUE; see --help");
            Option *option = option_of(options, true, argv[i], &value);
            if (!value) wrong_use("--set needs NAME=VALUE, not \"%s\"; see --help", argv[i]);
            set_or_refuse(option, value);
        } else {
            bool lettered = word[1] != '-';
            Option *option = lettered ? option_of_letter(options, word, &value)
                                      : option_of(options, false, word + 2, &value);
            bool flag = option->kind == FLAG;
            if (flag && value) wrong_use("--%s takes no value", option->name);
            if (!flag && !value && ++i == argc)
                wrong_use("--%s needs a value: %s; see --help", option->name, option->argument);
            if (flag) value = "yes";
            set_or_refuse(option, value ? value : argv[i]);
        }
    }
    return count;
}
