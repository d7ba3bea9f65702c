/* options.h: one table describes a program's options; from it come parsing, checking, --help and
   what a checkpoint remembers. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    GROUP, /* no option: a heading in --help */
    FLAG,  /* bool: given or not */
    COUNT, /* size_t from low to high */
    REAL,  /* double from low to high */
    TEXT,  /* const char * */
} OptionKind;

typedef struct {
    OptionKind kind;
    const char *name; /* without the -- */
    char letter;      /* for -x; 0: none */
    void *value;      /* the variable to set; holds the default before */
    double low, high;
    const char *argument, *help; /* as --help shows them: N, "characters to write" */
    bool not_kept;               /* a checkpoint keeps only what a run's result depends on */
    bool advanced;               /* given as --set NAME=VALUE; --help shows just NAME */
    bool given;                  /* set by parsing */
    char *restored;              /* the text that option_restore gave it */
} Option;

/* Reads the command line into the options' variables; a table ends with {0}. What is no option is
   put into operands, at most `most`; returns how many. Prints --help or --version to standard
   output and exits with 0. A wrong use is one line and exit status 2. */
size_t parse_options(int argc, char **argv, Option *options, const char *usage,
                     const char *examples, const char **operands, size_t most);

/* An option's present value as text in UTF-8, with all its digits; a TEXT is escaped as
   text_escaped does. Free it with free(). */
char *option_text(const Option *option);

/* Sets an option from what option_text returned; false when it is not a value for it. */
bool option_restore(Option *option, const char *text);

/* Frees what option_restore made; the values of these options are not used any more. */
void options_free(Option *options);

/* The option with this name; NULL when there is none. */
Option *option_named(Option *options, const char *name);

/* Was a mistyped word probably meant for this name, and is it nearer to it than *distance, which
   then becomes its own? To find the nearest of many names, start with SIZE_MAX. */
bool is_nearer(const char *word, const char *name, size_t *distance);

#endif
