/* characters.h: the 100 characters of Python's string.printable; their ids are also their rows. */
#ifndef CHARACTERS_H
#define CHARACTERS_H

#include <stddef.h>
#include <stdint.h>

#define CHARACTERS 100

/* id 0..99 -> character: digits, a-z, A-Z, punctuation, space \t \n \r \x0b \x0c. */
char character_of(uint8_t id);

/* byte -> id 0..99, or -1 when it is not among the 100. */
int id_of(unsigned char byte);

/* What a reader would write in ASCII for a character: itself, "e", "ss", "..."; "\n" for a CR or
   another line separator; "" for a mark that combines with the letter before it; NULL: nothing is
   like it. At most 4 characters; one is room for one of them. lib/letters_table.h has them all. */
const char *ascii_for(uint32_t code, char one[2]);

/* The script that a character from U+0080 on belongs to, NULL when it is of none. */
const char *script_of(uint32_t code);

/* A text as people write it, with \n \t \r \\ and \xHH. Returns name [4 * length + 1]. */
char *escaped(const char *text, size_t length, char *name);

/* The ids [strlen(text)] of a text so written, where \" is a quotation mark, too. Returns how many,
   0 when something is no printable character. */
size_t unescaped(const char *text, uint8_t *ids);

/* One character's name: "space", "\n", "\x0b", or itself. Returns name (at least 8 chars). */
char *character_name(char character, char *name);

/* What kind a character is, for colours and tables. */
typedef enum { VOWEL, CONSONANT, CAPITAL, DIGIT, PUNCTUATION, WHITESPACE } CharacterKind;
CharacterKind character_kind(char character);

#endif
