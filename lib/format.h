/* format.h: numbers, foreign text and commands as people read them. */
#ifndef FORMAT_H
#define FORMAT_H

#include "memory.h"

#include <stddef.h>
#include <stdio.h>

/* A number with its thousands separated: 1,115,394. Returns text [32]. */
char *grouped(size_t number, char *text);

/* A number of things, named in the plural: "2,345 echoes", "1 echo". Returns text [64]. */
char *counted(size_t number, const char *things, char *text);

/* Text from outside (a file, an argument, a path) as it may be printed: what could command a
   terminal or forge a line is shown as ?. Replaces the buffer's content and returns it. */
const char *shown(const char *text, Buffer *buffer);

/* Prints a line, in lines of at most `width` columns: it is cut at blanks, and what follows is
   indented. */
void print_wrapped(FILE *file, const char *line, size_t width, size_t indent);

/* A word as the shell reads it, in quotes where needed, so that a command that is suggested can be
   pasted whatever a folder is called. What shown() replaces is ? here, too. Free with free(). */
char *shell_word(const char *text);

/* A text of any bytes as valid UTF-8, for the metadata of a file, and back: a byte that is not part
   of valid UTF-8 is written \xHH, a backslash \\. text_unescaped knows \n \t \r \", too, and takes
   any other backslash as it stands. Free both results with free(). */
char *text_escaped(const char *text);
char *text_unescaped(const char *text);

#endif
