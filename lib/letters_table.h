/* letters_table.h: made by lib/letters_table.py from Unicode 14.0.0; do not edit. */

/* clang-format off */

/* An ASCII character's id + 1; 0: it is none of the 100. */
static const uint8_t number_of[256] = {
      0,   0,   0,   0,   0,   0,   0,   0,   0,  96,  97,  99, 100,  98,   0,   0,
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
     95,  63,  64,  65,  66,  67,  68,  69,  70,  71,  72,  73,  74,  75,  76,  77,
      1,   2,   3,   4,   5,   6,   7,   8,   9,  10,  78,  79,  80,  81,  82,  83,
     84,  37,  38,  39,  40,  41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51,
     52,  53,  54,  55,  56,  57,  58,  59,  60,  61,  62,  85,  86,  87,  88,  89,
     90,  11,  12,  13,  14,  15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,
     26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  91,  92,  93,  94,   0,
};

/* What a byte from 0x80 on stands for in the strings below. */
static const char several[][8] = {
    "!!", "!=", "!\?", "'''", "''''", "'n", "(C)", "(R)", "+/-", "--", "->", "..", "...", "0/3",
    "1/", "1/10", "1/2", "1/3", "1/4", "1/5", "1/6", "1/7", "1/8", "1/9", "2/3", "2/5", "3/4",
    "3/5", "3/8", "4/5", "5/6", "5/8", "7/8", "<-", "<->", "<=", "=>", ">=", "\?!", "\?\?",
    "AE", "AO", "AU", "AV", "AY", "DZ", "Dz", "EUR", "GBP", "Gh", "Hv", "II", "III", "IJ", "IV",
    "IX", "JPY", "LJ", "LL", "Lj", "NJ", "Ng", "Nj", "No", "OE", "OO", "Ou", "Rs", "SM", "SS",
    "Sh", "TM", "TZ", "Th", "VI", "VII", "VIII", "VY", "XI", "XII", "ae", "ao", "au", "av",
    "ay", "db", "deg", "degC", "degF", "dz", "ff", "ffi", "ffl", "fi", "fl", "gh", "hv", "ii",
    "iii", "ij", "iv", "ix", "lj", "ll", "ng", "nj", "oe", "oo", "ou", "qp", "sh", "ss", "st",
    "th", "ts", "tz", "vi", "vii", "viii", "vy", "xi", "xii", "||",
};

/* Runs of code points that become ASCII, a byte for each: itself, or one of those
   above; 1: left out. NULL: the whole run becomes nothing. */
static const struct {
    uint32_t first, count;
    const char *ascii;
} runs[] = {
    {0x0085, 1, "\012"},
    {0x00a0, 12, " !c\260\001\270|\001\"\206a\""},
    {0x00ad, 1, NULL},
    {0x00ae, 499,
     "\207-\326\21023'u\001.,1o\"\222\220\232\?AAAAAA\250CEEEEIIIIDNOOOOOxOUUUUY\311\357aa"
     "aaaa\320ceeeeiiiidnooooo/ouuuuy\361yAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIi"
     "Ii\265\343JjKkqLlLlLlLlLlNnNnNn\205\275\350OoOoOo\300\352RrRrRrSsSsSsSsTtTtTtUuUuUuU"
     "uUuUuWwYyYZzZzZzsbBBbbbOCcDDDddEEEFfGG\340IIKkllMNnOOo\261\337PpRSs\306\356tTtTUuUVY"
     "yZzZZzz255\362w|\372|!\255\256\331\271\273\346\274\276\351AaIiOoUuUuUuUuUueAaAa\250"
     "\320GgGgKkOoOoZzj\255\256\331Gg\262WNnAa\250\320OoAaAaEeEeIiIiOoOoRrRrUuUuSsTtYyHhNd"
     "\302\354ZzAaEeOoOoOoOoYylntj\325\355ACcLTsz''BUVEeJjQqRrYyaa\001bocddeeeeeeejggggohh"
     "\001iiilll\001mmmnnno\352\001frrrrrrrrrs\356j\001\001ttuuvvwyyzzz\001''\001c\001begh"
     "jklq"},
    {0x02ae, 55,
     "hhhhjrrrrwy'\"'''''\001\001<>\001\001^\001'-'',\001\001\001:\001\001\001\001\001\001"
     "-\001\001\001\001~\"\001\001glsx'"},
    {0x02ee, 1, "\""},
    {0x0300, 112, NULL},
    {0x0374, 1, "'"},
    {0x037e, 10, ";\001\001\001\001\001\001\001\001."},
    {0x0483, 7, NULL},
    {0x055a, 1, "'"},
    {0x058a, 1, "-"},
    {0x05be, 1, "-"},
    {0x07f4, 2, "''"},
    {0x1400, 1, "-"},
    {0x1680, 1, " "},
    {0x1806, 1, "-"},
    {0x180e, 1, NULL},
    {0x1ab0, 31, NULL},
    {0x1d00, 35, "a\320\320bcddeeijklmnooooo\352\001ooprrtuuumvwz"},
    {0x1d2c, 147,
     "A\250BBDEEGHIJKLMNNO\302PRTUWaaa\320bdeeeegikm\350ooooptuumv\001\001\001\001\001\001"
     "iruv\001\001\001\001\001\001bdfmnprrstzg\001g\001i\001pu\001bdfgklmnprs\001vxza\001d"
     "eee\001io\001u\001\001ccdefjghiiiijlllmmnnnofs\356tuuuvvzzzz"},
    {0x1dc0, 64, NULL},
    {0x1e00, 256,
     "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMmMmMmNnNnNnNnOoOoOoOo"
     "PpPpRrRrRrRrSsSsSsSsSsTtTtTtTtUuUuUuUuUuVvVvWwWwWwWwWwXxXxYyZzZzZzhtwyasss\305dAaAaA"
     "aAaAaAaAaAaAaAaAaAaEeEeEeEeEeEeEeEeIiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyY"
     "y\272\347VvYy"},
    {0x1fef, 1, "`"},
    {0x2000, 11, "           "},
    {0x200b, 5, NULL},
    {0x2010, 26, "----\211\211\372\001''''\"\"\"\"\001\001**.\213\214.\012\012"},
    {0x202a, 5, NULL},
    {0x202f, 49,
     " \001\001'\"\203'\"\203\001''\001\200\001\001_\001\001\001-/\001\001\247\246\202\001"
     "\001\001\001*\001\001\001\001~\001\001\001\204\001\001\001\001\001\001\001 "},
    {0x2060, 5, NULL},
    {0x2066, 10, NULL},
    {0x2070, 45, "0i\001\001456789+-=()n0123456789+-=()\001aeoxehklmnpst"},
    {0x20a8, 5, "\303\001\001\001\257"},
    {0x20d0, 33, NULL},
    {0x2102, 56,
     "C\327\001\001\001E\001\330gHHHhhIILl\001N\277\001\001PQRRR\001\001\304\001\307\001Z"
     "\001\001\001Z\001KABC\001eEF\001Mo\001\001\001\001i"},
    {0x2145, 80,
     "Ddeij\001\001\001\001\001\001\225\227\217\221\230\223\231\233\235\224\236\226\234"
     "\237\240\216I\263\264\266V\312\313\314\267X\316\317LCDMi\341\342\344v\364\365\366"
     "\345x\370\371lcdm\001\001\001\001c\001\001\001\001\215\001\001\001\001\001\001\241"
     "\001\212\001\242"},
    {0x21d0, 3, "\243\001\244"},
    {0x2212, 8, "-\001\001/\\*\001."},
    {0x2223, 1, "|"},
    {0x2236, 7, ":\001\001\001\001\001~"},
    {0x2248, 1, "~"},
    {0x2260, 6, "\201\001\001\001\243\245"},
    {0x22c5, 1, "."},
    {0x2329, 2, "<>"},
    {0x2460, 9, "123456789"},
    {0x24b6, 53, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0"},
    {0x25a0, 12, "**\001\001\001\001\001\001\001\001**"},
    {0x25b6, 5, "*\001\001\001*"},
    {0x25c6, 10, "**\001\001\001*\001\001\001*"},
    {0x25e6, 1, "*"},
    {0x2605, 2, "**"},
    {0x2713, 2, "**"},
    {0x275b, 6, "''\"\"'\""},
    {0x276c, 4, "<>''"},
    {0x27e8, 2, "<>"},
    {0x2c60, 32, "LlLPRatHhKkZzAMA\001vWwvHh\001eroejVSZ"},
    {0x2de0, 32, NULL},
    {0x2e17, 4, "-\001\001-"},
    {0x2e40, 3, "-\001\""},
    {0x2e5d, 1, "-"},
    {0x3000, 18, " ,.\001\001\001\001\001<>\"\"\"\"\"\"[]"},
    {0x301c, 4, "~\"\"\""},
    {0x3030, 1, "-"},
    {0x3099, 2, NULL},
    {0x30a0, 1, "-"},
    {0xa66f, 4, NULL},
    {0xa674, 10, NULL},
    {0xa69e, 2, NULL},
    {0xa728, 60,
     "\310\363\001\001\001\001\001\001fs\001\001\251\321\252\322\253\323\253\323\254\324Cc"
     "KkKkKkLlLlOoOo\301\353PpPpPpQqQq\001\001\001\001Vv\315\367Zz"},
    {0xa779, 97,
     "DdFfGGgLlRrSsTt\001\001\001\001\001Hl\001NnCcchBbFf\250\320\300\352\001\001GgKkNnRrS"
     "sHEGLiqKTJ\001\001\001\001\001UuAaIiUuOoWwCSZDdSs\001\001\001\001\001Gg\001\001\001"
     "\001SsSs"},
    {0xa7f2, 14, "CFQHhiH\352mfpm\001m"},
    {0xa8e0, 18, NULL},
    {0xab32, 56,
     "eeefglllmn\001ooo\001\001\001\001\001rr\001rrrrr\001u\001\001\001u\001\001\001xxxxy"
     "\001\001llu\001e\001\001\001\001\001\001rw"},
    {0xfb00, 7, "\332\335\336\333\334t\360"},
    {0xfb29, 1, "+"},
    {0xfe00, 16, NULL},
    {0xfe10, 7, ",,.:;!\?"},
    {0xfe20, 16, NULL},
    {0xfe32, 58,
     "-__(){}\001\001[]\"\"<>\"\"\"\"\001\001[]\001\001\001\001___,,.\001;:\?!\001(){}\001"
     "\001#&*+-<>=\001\\$%@"},
    {0xfeff, 1, NULL},
    {0xff01, 100,
     "!\"#$%&'()*+,-./0123456789:;<=>\?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopq"
     "rstuvwxyz{|}~\001\001.\"\","},
    {0xff9e, 2, NULL},
    {0xffe0, 15, "c\001\001\001|\001\001\001\001\001\001\001\001**"},
    {0xfff9, 3, NULL},
    {0x10376, 5, NULL},
    {0x10781, 58,
     ":\001\001bb\001\001\001\001\001dddee\001oggghh\001j\001\001lll\001\001yyo\001\001qrr"
     "rrr\001\001\001\001tv\001y\001\001\001|\001|\001s"},
    {0x10ead, 1, "-"},
    {0x1133b, 1, NULL},
    {0x11366, 7, NULL},
    {0x11370, 5, NULL},
    {0x1bca0, 4, NULL},
    {0x1d242, 3, NULL},
    {0x1d400, 678,
     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
     "g\001ijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzA\001CD"
     "\001\001G\001\001JK\001\001NOPQ\001STUVWXYZabcd\001f\001hijklmn\001pqrstuvwxyzABCDEF"
     "GHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzAB\001DEFG\001\001JKLMNOPQ\001STUVWXY"
     "\001abcdefghijklmnopqrstuvwxyzAB\001DEFG\001IJKLM\001O\001\001\001STUVWXY\001abcdefg"
     "hijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM"
     "NOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
     "tuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY"
     "ZabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzij"},
    {0x1d7ce, 50, "01234567890123456789012345678901234567890123456789"},
    {0x1df01, 30, "ggkl\001y\001rt\001\001\001t\001ckl\001l\001rr\001\001\001io\001cs"},
    {0x1e000, 7, NULL},
    {0x1e008, 17, NULL},
    {0x1e01b, 7, NULL},
    {0x1e023, 2, NULL},
    {0x1e026, 5, NULL},
    {0x1f12b, 31, "CR\001\001\001ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    {0x1f676, 3, "\"\"\""},
    {0x1fbf0, 10, "0123456789"},
};

/* Which script other characters belong to. */
static const struct {
    uint32_t first, last;
    const char *name;
} scripts[] = {
    {0x00c0, 0x02af, "Latin"},
    {0x0370, 0x03e1, "Greek"},
    {0x03e2, 0x03ef, "Coptic"},
    {0x03f0, 0x03ff, "Greek"},
    {0x0400, 0x052f, "Cyrillic"},
    {0x0531, 0x058f, "Armenian"},
    {0x0591, 0x05f4, "Hebrew"},
    {0x0600, 0x06ff, "Arabic"},
    {0x0700, 0x074f, "Syriac"},
    {0x0750, 0x077f, "Arabic"},
    {0x0780, 0x07b1, "Thaana"},
    {0x0860, 0x086a, "Syriac"},
    {0x0870, 0x08ff, "Arabic"},
    {0x0900, 0x097f, "Devanagari"},
    {0x0980, 0x09fe, "Bengali"},
    {0x0a01, 0x0a76, "Gurmukhi"},
    {0x0a81, 0x0aff, "Gujarati"},
    {0x0b01, 0x0b77, "Oriya"},
    {0x0b82, 0x0bfa, "Tamil"},
    {0x0c00, 0x0c7f, "Telugu"},
    {0x0c80, 0x0cf2, "Kannada"},
    {0x0d00, 0x0d7f, "Malayalam"},
    {0x0d81, 0x0df4, "Sinhala"},
    {0x0e01, 0x0e5b, "Thai"},
    {0x0e81, 0x0edf, "Lao"},
    {0x0f00, 0x0fda, "Tibetan"},
    {0x1000, 0x109f, "Myanmar"},
    {0x10a0, 0x10ff, "Georgian"},
    {0x1100, 0x11ff, "Hangul"},
    {0x1200, 0x1399, "Ethiopic"},
    {0x13a0, 0x13fd, "Cherokee"},
    {0x16a0, 0x16f8, "Runic"},
    {0x1780, 0x17f9, "Khmer"},
    {0x1800, 0x18aa, "Mongolian"},
    {0x19e0, 0x19ff, "Khmer"},
    {0x1c80, 0x1c88, "Cyrillic"},
    {0x1c90, 0x1cbf, "Georgian"},
    {0x1d00, 0x1d25, "Latin"},
    {0x1d6b, 0x1eff, "Latin"},
    {0x1f00, 0x1ffe, "Greek"},
    {0x2090, 0x2184, "Latin"},
    {0x2600, 0x2bff, "emoji and symbols"},
    {0x2c60, 0x2c7f, "Latin"},
    {0x2c80, 0x2cff, "Coptic"},
    {0x2d00, 0x2d2d, "Georgian"},
    {0x2d80, 0x2dde, "Ethiopic"},
    {0x2e80, 0x2fdf, "Chinese or Japanese"},
    {0x3041, 0x309f, "Hiragana"},
    {0x30a1, 0x30ff, "Katakana"},
    {0x3105, 0x312f, "Bopomofo"},
    {0x3131, 0x318e, "Hangul"},
    {0x31a0, 0x31bf, "Bopomofo"},
    {0x31f0, 0x31ff, "Katakana"},
    {0x3400, 0x9fff, "Chinese or Japanese"},
    {0xa640, 0xa69b, "Cyrillic"},
    {0xa722, 0xa7ff, "Latin"},
    {0xa8f2, 0xa8ff, "Devanagari"},
    {0xa960, 0xa97c, "Hangul"},
    {0xa9e0, 0xaa7f, "Myanmar"},
    {0xab01, 0xab2e, "Ethiopic"},
    {0xab30, 0xab64, "Latin"},
    {0xab70, 0xabbf, "Cherokee"},
    {0xac00, 0xd7fb, "Hangul"},
    {0xf900, 0xfaff, "Chinese or Japanese"},
    {0xfb1d, 0xfb4f, "Hebrew"},
    {0xfb50, 0xfefc, "Arabic"},
    {0x10140, 0x101a0, "Greek"},
    {0x102e0, 0x102fb, "Coptic"},
    {0x10330, 0x1034a, "Gothic"},
    {0x111e1, 0x111f4, "Sinhala"},
    {0x11660, 0x1166c, "Mongolian"},
    {0x11fc0, 0x11fff, "Tamil"},
    {0x1aff0, 0x1b000, "Katakana"},
    {0x1b001, 0x1b11f, "Hiragana"},
    {0x1d200, 0x1d245, "Greek"},
    {0x1df00, 0x1df1e, "Latin"},
    {0x1e7e0, 0x1e7fe, "Ethiopic"},
    {0x1ee00, 0x1eef1, "Arabic"},
    {0x1f000, 0x1faff, "emoji and symbols"},
    {0x20000, 0x323af, "Chinese or Japanese"},
};
