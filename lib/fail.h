/* fail.h: how every program here says that it cannot go on. */
#ifndef FAIL_H
#define FAIL_H

/* The start of main: takes the program's name for messages; no file is opened as a standard stream,
   and a limit for files is an error like any other. */
void set_program_name(const char *name);

/* One line on standard error, "name: what, where, what to do", then exit status 1. Of several
   threads that fail the first one speaks. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a wrong command line: exit status 2. */
_Noreturn void wrong_use(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line on standard error that begins with the program's name; the program goes on. */
void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on messages take the place of what stands in the terminal's last line. */
void replace_last_line(void);

/* Replaces in text, in place, all that could command a terminal or forge a line by ?: control
   characters, marks that turn the direction of writing, line separators, and bytes that are no
   UTF-8. Every message of this file goes through it. */
void mask_controls(char *text);

/* Flushes standard output. A reader that has gone (head) ends the program quietly; a full disk is
   one line and status 1. */
void flush_output(void);

#endif
