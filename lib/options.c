#include "options.h"

#include "fail.h"
#include "version.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void option_text(const Option *option, char *value, size_t size) {
    switch (option->kind) {
    case FLAG: snprintf(value, size, "%s", *(bool *)option->value ? "yes" : "no"); break;
    case COUNT: snprintf(value, size, "%zu", *(size_t *)option->value); break;
    case REAL: snprintf(value, size, "%.9g", *(double *)option->value); break;
    default: snprintf(value, size, "%s", *(const char **)option->value ? *(const char **)option->value : ""); break;
    }
}

/* A count is read by strtoull, so that 64-bit values keep every bit; digits only. */
static bool set_count(Option *option, const char *text) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] || digits > 19) return false;
    unsigned long long number = strtoull(text, NULL, 10);
    if ((double)number < option->low || (double)number > option->high || number > SIZE_MAX) return false;
    *(size_t *)option->value = (size_t)number;
    return true;
}

static bool set_real(Option *option, const char *text) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || strchr(text, 'x') || strchr(text, 'X') || !(number >= option->low && number <= option->high)) return false;
    if (text[0] == ' ' || text[0] == '\t' || text[0] == '\n') return false;
    *(double *)option->value = number;
    return true;
}

bool option_set(Option *option, const char *text) {
    if (option->kind == COUNT) return set_count(option, text);
    if (option->kind == REAL) return set_real(option, text);
    if (option->kind == TEXT) *(const char **)option->value = text;
    else *(bool *)option->value = strcmp(text, "yes") == 0;
    return true;
}

Option *option_named(Option *options, const char *name) {
    while (options->kind == GROUP || strcmp(options->name, name)) options++;
    return options;
}

static void print_help(const Option *options, const char *usage, const char *examples) {
    printf("%s", usage);
    for (const Option *option = options; option->name; option++) {
        if (option->kind == GROUP) {
            printf("\n%s\n", option->name);
            continue;
        }
        char left[64], value[64];
        int length = option->letter ? snprintf(left, sizeof left, "-%c, --%s", option->letter, option->name)
                                    : snprintf(left, sizeof left, "    --%s", option->name);
        if (option->argument) snprintf(left + length, sizeof left - (size_t)length, " %s", option->argument);
        printf("  %-26s %s", left, option->help);
        option_text(option, value, sizeof value);
        if ((option->kind == COUNT || option->kind == REAL || option->kind == TEXT) && value[0] && !strstr(option->help, "default"))
            printf(" (default %s)", value);
        printf("\n");
    }
    printf("\n  %-26s %s\n  %-26s %s\n\n%s", "-h, --help", "this text", "    --version", "the version: " VERSION, examples);
    flush_output();
    exit(0);
}

static Option *find_option(Option *options, const char *name, size_t length) {
    for (; options->name; options++)
        if (options->kind != GROUP && strlen(options->name) == length && !strncmp(options->name, name, length)) return options;
    return NULL;
}

static Option *find_letter(Option *options, char letter) {
    for (; options->name; options++)
        if (options->kind != GROUP && options->letter == letter) return options;
    return NULL;
}

static void set_or_refuse(Option *option, const char *text) {
    option->given = true;
    if (option->kind == TEXT && !*text) wrong_use("--%s: its value is empty: give %s, or leave --%s out; see --help", option->name, option->argument, option->name);
    if (option_set(option, text)) return;
    if (option->high >= 1e18)
        wrong_use("--%s: \"%s\" is not a %snumber of at least %.15g", option->name, text, option->kind == COUNT ? "whole " : "", option->low);
    wrong_use("--%s: \"%s\" is not a %snumber from %.15g to %.15g", option->name, text, option->kind == COUNT ? "whole " : "",
              option->low, option->high);
}

size_t parse_options(int argc, char **argv, Option *options, const char *usage, const char *examples, const char **operands,
                     size_t most) {
    size_t count = 0;
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (only_operands || word[0] != '-' || !word[1]) {
            if (count == most) wrong_use("\"%s\" is one argument too many; see --help", word);
            operands[count++] = word;
            continue;
        }
        if (!strcmp(word, "--")) {
            only_operands = true;
            continue;
        }
        if (!strcmp(word, "--help") || !strcmp(word, "-h")) print_help(options, usage, examples);
        if (!strcmp(word, "--version")) {
            printf("%s\n", VERSION);
            flush_output();
            exit(0);
        }
        bool is_long = word[1] == '-';
        const char *equals = is_long ? strchr(word, '=') : NULL;
        Option *option = is_long ? find_option(options, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2))
                                 : find_letter(options, word[1]);
        if (!option) wrong_use("unknown option %s; see --help", word);
        const char *value = equals ? equals + 1 : !is_long && word[2] ? word + 2 : NULL;
        if (option->kind == FLAG) {
            if (value) wrong_use("--%s takes no value", option->name);
            *(bool *)option->value = option->given = true;
            continue;
        }
        if (!value && ++i == argc) wrong_use("--%s needs a value: %s; see --help", option->name, option->argument);
        set_or_refuse(option, value ? value : argv[i]);
    }
    return count;
}
