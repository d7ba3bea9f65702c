/* faults.c: runs the programs again and again and makes each call to the system fail in turn
   (shim.c), or ends them there, or kills them at random moments; looks at what is left each time.

   faults SHIM PROGRAMS FOLDER faults STRIDE   every STRIDE-th place of each call, each way to fail
   faults SHIM PROGRAMS FOLDER deaths STRIDE   the end at each file call of a run: before it, behind
                                               it, and within each write
   faults SHIM PROGRAMS FOLDER kills COUNT     kill -9 at random instants

   SHIM is the library's file, or - for programs that have it built in; PROGRAMS the folder of
   train, sample and embed. */
#define _GNU_SOURCE
#include "../../lib/log.h"
#include "../../lib/safetensors.h"
#include "../check.h"
#include "shim.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *shim;
static char *programs;
static bool built_in; /* only calls for memory fail */
static FaultPage *page;
static Buffer said, printed; /* on standard error and output by the latest run */

/* ---- files, below FOLDER ---- */

enum { SAVED = 4, SAME = 3 }; /* the seconds of a log, the fourth, are never the same */
#define NAMES(end)                                                                                 \
    "run/model.safetensors" end, "run/checkpoint.safetensors" end,                                 \
        "run/snapshots.safetensors" end, "run/loss.csv" end
static const char *const saved[SAVED] = {NAMES("")}, *const temporary[SAVED] = {NAMES(".partial")};

typedef struct {
    Buffer file[SAVED];
} Files;

static bool there(const char *path) { return access(path, F_OK) == 0; }

/* What a file holds; text is NULL when there is none. */
static Buffer bytes_of(const char *path) {
    Buffer bytes = {0};
    file_read(entry_of(path), &bytes);
    if (there(path)) buffer_add(&bytes, "%s", "");
    return bytes;
}

static void put(const char *path, Buffer bytes) {
    file_write(entry_of(path), bytes.text, bytes.length);
}

static Files folder_read(void) {
    Files files;
    for (int i = 0; i < SAVED; i++) files.file[i] = bytes_of(saved[i]);
    return files;
}

/* Empties the run's folder and fills it (NULL: with nothing). */
static void folder_write(const Files *files) {
    for (int i = 0; i < SAVED; i++) {
        unlink(temporary[i]);
        unlink(saved[i]);
        if (files && files->file[i].text) put(saved[i], files->file[i]);
    }
}

static bool left_over(void) {
    bool any = false;
    for (int i = 0; i < SAVED; i++) any |= there(temporary[i]);
    return any;
}

/* A sentence that stays until the next one. */
static const char *sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *sentence(const char *format, ...) {
    static char text[2][3000];
    static int next;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text[next], sizeof text[next], format, arguments);
    va_end(arguments);
    next = !next;
    return text[!next];
}

/* The first reason why a file is not whole; NULL when all are that are there. */
static const char *torn(void) {
    for (int i = 0; i < SAME; i++) {
        TensorFile file;
        if (!there(saved[i])) continue;
        const char *reason = tensors_map(&file, entry_of(saved[i]));
        for (size_t t = 0; t < file.tensor_count; t++) {
            const Tensor *tensor = &file.tensors[t];
            const float *numbers = tensor->data;
            size_t count = strcmp(tensor->dtype, "F32") ? 0 : (tensor->end - tensor->begin) / 4;
            for (size_t n = 0; n < count; n++)
                if (!isfinite(numbers[n])) reason = "it holds a number that is not finite";
        }
        tensors_close(&file);
        if (reason) return sentence("%s: %s", saved[i], reason);
    }
    Log rows;
    bool good = !there(saved[SAME]) || log_load(&rows, entry_of(saved[SAME]));
    if (there(saved[SAME])) log_free(&rows);
    return good ? NULL : "loss.csv is not whole";
}

/* ---- running ---- */

typedef struct {
    const char *call, *kind; /* "none": nothing fails */
    unsigned at;
    double kill_after; /* seconds; below 0: not */
} Fault;

static const Fault none = {"none", "none", 0, -1};

/* The child: ends as the program does. */
static void become(const char *command, Fault fault) {
    char words[400], at[16], *arguments[40] = {NULL};
    snprintf(words, sizeof words, "%s/%s", programs, command);
    snprintf(at, sizeof at, "%u", fault.at);
    int count = 0;
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) arguments[count++] = word;
    if (!freopen("/dev/null", "r", stdin) || !freopen("stdout", "w", stdout) ||
        !freopen("stderr", "w", stderr))
        _exit(127);
    setenv("FAULT_CALL", fault.call, 1);
    setenv("FAULT_KIND", fault.kind, 1);
    setenv("FAULT_AT", at, 1);
    if (!built_in) setenv("LD_PRELOAD", shim, 1);
    execv(arguments[0], arguments);
    _exit(127);
}

/* Runs a program; returns its status, or 1000 + the signal that ended it. */
static int run(const char *command, Fault fault) {
    int status;
    memset(page, 0, sizeof *page);
    pid_t child = fork();
    if (child == 0) become(command, fault);
    if (fault.kill_after >= 0) {
        usleep((useconds_t)(1e6 * fault.kill_after));
        kill(child, SIGKILL);
    }
    waitpid(child, &status, 0);
    buffer_free(&said);
    buffer_free(&printed);
    said = bytes_of("stderr");
    printed = bytes_of("stdout");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static size_t lines(const char *text) {
    size_t count = 0;
    for (; *text; text++) count += *text == '\n';
    return count;
}

/* ---- what is run ---- */

#define RUN                                                                                        \
    "train -t 2 --set evaluations=2 --dim 2 --order 3 -b 64 -e 1 --save-every 0 --out run text "
static const char train_new[] = RUN "-q -s 1", train_resume[] = RUN "-q --resume";

typedef struct {
    const char *name, *command;
    bool trains, resumes, prints;
    Files before, after; /* the folder of a run that trains, before it and after one undisturbed */
    Buffer output;
} Scenario;

#define MODEL_FILE " --model model.safetensors "
static Scenario scenarios[] = {
    {"train", train_new, .trains = true},
    {"train --resume", train_resume, .trains = true, .resumes = true},
    {"train --pretrained", RUN "-q -s 1 --pretrained model.safetensors", .trains = true},
    {"train, with messages", RUN "-s 1 --set batch-losses=3", .trains = true, .prints = true},
    {"sample", "sample -s 1 -n 40" MODEL_FILE "The", .prints = true},
    {"sample --next", "sample --next" MODEL_FILE "The", .prints = true},
    {"sample --score", "sample --score text" MODEL_FILE, .prints = true},
    {"embed", "embed" MODEL_FILE, .prints = true},
    {"embed export", "embed" MODEL_FILE "--out run -n 150 export", .prints = true},
    {"embed report", "embed" MODEL_FILE "--out run report", .prints = true},
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* Makes an older run, of another seed, and one of this seed that was stopped on its way. */
static void prepare(void) {
    Fault stop = {"rename", "die", 7, -1}; /* within the files of the second save */
    folder_write(NULL);
    if (run(RUN "-q -s 2", none)) check(false, "an undisturbed run: %s", said.text);
    unsigned memory_calls = page->calls[FAULT_MEMORY];
    Files old = folder_read();
    put("model.safetensors", old.file[0]);
    put("snapshots.safetensors", old.file[2]); /* embed report reads what is beside the model */
    put("loss.csv", old.file[3]);
    folder_write(NULL);
    if (built_in) stop = (Fault){"memory", "die", memory_calls * 3 / 4, -1};
    if (run(train_new, stop) != FAULT_DIED) check(false, "a run ends on its way: %s", said.text);
    Files half = folder_read();
    if (!half.file[1].text) check(false, "a run that ends on its way leaves a checkpoint");
    for (int i = 0; i < SCENARIOS; i++) {
        Scenario *scenario = &scenarios[i];
        scenario->before = scenario->resumes ? half : old;
        folder_write(&scenario->before);
        if (run(scenario->command, none)) check(false, "%s: %s", scenario->name, said.text);
        scenario->after = folder_read();
        scenario->output = bytes_of("stdout");
    }
}

/* What is wrong with the files of a run that has ended well; NULL when nothing is. */
static const char *not_as_after(const Scenario *scenario) {
    for (int i = 0; i < SAME; i++) {
        Buffer found = bytes_of(saved[i]);
        const Buffer *wanted = &scenario->after.file[i];
        bool same = found.text && found.length == wanted->length &&
                    !memcmp(found.text, wanted->text, found.length);
        buffer_free(&found);
        if (!same) return sentence("%s is not that of an undisturbed run", saved[i]);
    }
    return NULL;
}

/* What is wrong after a run that a fault met; NULL when nothing is. must_succeed: such a fault is
   no reason to give up. */
static const char *trouble(const Scenario *scenario, int status, bool must_succeed) {
    if (status > 1) return sentence("status %d: %s", status, said.text);
    if (must_succeed && status) return sentence("it gave up: %s", said.text);
    bool talks = scenario->trains && scenario->prints;
    if (status == 1 && (lines(said.text) == 0 || (!talks && lines(said.text) > 1)))
        return sentence("it says %zu lines: %s", lines(said.text), said.text);
    if (status == 0 && scenario->prints && strcmp(printed.text, scenario->output.text) != 0)
        return "it printed something else";
    if (!scenario->trains) return NULL;
    const char *why = torn();
    for (int i = 0; i < SAVED && !why; i++)
        if (scenario->before.file[i].text && !there(saved[i]))
            why = sentence("%s, which was there before, is gone", saved[i]);
    if (!why && status == 0) why = not_as_after(scenario);
    bool partly =
        status == 1 && strstr(said.text, " files are new"); /* --resume finds the others */
    if (!why && left_over() && !partly) why = "a temporary file is left";
    if (why || !(partly || (scenario->resumes && status == 1))) return why;
    if (run(scenario->command, none)) return sentence("resuming says: %s", said.text);
    why = not_as_after(scenario);
    if (!why && left_over()) why = "a temporary file is left by the run after it";
    return why;
}

/* ---- faults ---- */

/* What was tried, how often that was wrong, and the first time. */
static size_t tried, wrong;
static char first[3500];

static void note(const char *why, const Fault *fault) {
    if (!why || wrong++) return;
    snprintf(first, sizeof first, "%s number %u, %s, after %f s: %s", fault->call, fault->at,
             fault->kind, fault->kill_after, why);
}

static void conclude(const char *name) {
    if (wrong)
        check(false, "%s: %zu of %zu are wrong, such as: %s", name, wrong, tried, first);
    else
        check(tried > 0, "%s: %zu tried", name, tried);
    tried = wrong = 0;
}

/* Each file that is saved: opened, written, synced, closed, renamed, and its folder synced. */
static void test_order(void) {
    folder_write(NULL);
    if (run(train_new, none)) check(false, "an undisturbed run: %s", said.text);
    /* o of the folder, o w... f c for each file, r for each, f c of the folder */
    size_t saves = 0, bad = 0;
    for (const char *at = page->order; (at = strstr(at, "oow"));) {
        size_t begun = 0, synced = 0, renamed = 0;
        for (at++; !strncmp(at, "ow", 2); begun++) {
            for (at++; *at == 'w';) at++;
            if (strncmp(at, "fc", 2) != 0) continue;
            synced++;
            at += 2;
        }
        for (; *at == 'r'; renamed++) at++;
        bad += begun != synced || begun != renamed || strncmp(at, "fc", 2) != 0;
        saves += renamed;
    }
    check(saves > 8 && !bad && page->file_calls < sizeof page->order,
          "%zu files saved in a run: each written, synced, renamed, its folder synced", saves);
}

static void test_faults(unsigned stride) {
    static const struct {
        const char *call, *kinds[5];
        bool must_succeed[4];
    } faults[] = {{"open", {"EIO", "ENOSPC", "EINTR", "EMFILE"}, {0}},
                  {"read", {"EIO", "EINTR", "short"}, {false, true, true}},
                  {"write", {"ENOSPC", "EIO", "EINTR", "short"}, {false, false, true, true}},
                  {"fsync", {"EIO", "ENOSPC", "EINTR", "EINVAL"}, {false, false, true, true}},
                  {"rename", {"EIO", "ENOSPC"}, {0}},
                  {"close", {"EIO", "ENOSPC", "EINTR"}, {false, false, true}},
                  {"mmap", {"ENOMEM"}, {0}},
                  {"memory", {"ENOMEM"}, {0}},
                  {"thread", {"EAGAIN"}, {true}},
                  {"fopen", {"EIO", "ENOMEM"}, {true, true}},
                  {"fstat", {"EIO"}, {0}},
                  {"flock", {"ENOLCK"}, {0}},
                  {"fgets", {"EIO"}, {true}},
                  {"chmod", {"EIO"}, {0}},
                  {"mkdir", {"ENOSPC"}, {0}}};
    size_t all = 0;
    for (Scenario *scenario = scenarios; scenario < scenarios + SCENARIOS; scenario++) {
        size_t survived = 0;
        for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
            for (unsigned k = 0; faults[f].kinds[k]; k++) {
                Fault fault = {faults[f].call, faults[f].kinds[k], 1 + k % stride, -1};
                bool optional = faults[f].must_succeed[k];
                if (built_in && strcmp(fault.call, "memory") != 0) continue;
                for (bool hit = true; hit; fault.at += stride) {
                    if (scenario->trains) folder_write(&scenario->before);
                    int status = run(scenario->command, fault);
                    hit = page->hit;
                    tried += hit;
                    survived += hit && status == 0;
                    note(trouble(scenario, status, optional || !hit), &fault);
                }
            }
        all += tried;
        conclude(sentence("faults, %s (%zu made no difference, the others a line and status 1)",
                          scenario->name, survived));
    }
    printf("note faults: %zu places tried in all: one in %u of the calls of each kind, with every "
           "error of that kind\n",
           all, stride);
}

/* ---- deaths ---- */

/* Goes on from whatever is there until the run has ended: what is wrong then, or NULL. */
static const char *go_on(void) {
    int status = run(there(saved[1]) ? train_resume : train_new, none);
    if (status) return sentence("going on: status %d: %s", status, said.text);
    if (left_over()) return "what the run that died left over is still there";
    return not_as_after(&scenarios[0]);
}

/* In an empty folder; then beside another run, whose files must stay or go whole. */
static void test_deaths(unsigned stride) {
    static const char *const kinds[] = {"die", "die-after", "torn"};
    for (unsigned k = 0; k < 6; k++) {
        bool beside = k >= 3;
        Fault fault = {"file", kinds[k % 3], 1 + k % 3 % stride, -1};
        for (;; fault.at += stride) {
            folder_write(beside ? &scenarios[0].before : NULL);
            int status = run(train_new, fault);
            if (!page->hit) break;
            tried++;
            const char *why = status == FAULT_DIED ? torn() : "it did not end there";
            if (!why && beside && !(there(saved[0]) && there(saved[1])))
                why = "a file of the run before is gone";
            if (!why && beside && run(train_new, none)) why = said.text;
            if (!why && beside && left_over()) why = "a temporary file is still there";
            if (!why && !beside) why = go_on();
            note(why, &fault);
        }
    }
    conclude("death at file calls of a run (before, behind, within a write): files whole, resumed "
             "to the same bytes");
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Some are killed again on their way on. */
static void test_kills(size_t count) {
    size_t resumed = 0;
    srandom(1);
    folder_write(NULL);
    double whole = -seconds();
    run(train_new, none);
    whole += seconds();
    folder_write(NULL);
    while (tried < count) {
        Fault fault = none;
        fault.kill_after = 1.2 * whole * (double)random() / 2147483648.0;
        bool resumes = there(saved[1]);
        int status = run(resumes ? train_resume : train_new, fault);
        bool killed = status == 1000 + SIGKILL;
        tried += killed;
        resumed += killed && resumes;
        const char *why = killed || status == 0 ? torn() : said.text;
        bool ends = !killed || random() % 10 < 3;
        if (!why && ends) why = go_on();
        if (why || ends) folder_write(NULL);
        note(why, &fault);
    }
    conclude(
        sentence("kill -9 at random instants of runs of %.0f ms (%zu of them already resumed): "
                 "files whole, resumed to the same bytes",
                 1000 * whole, resumed));
}

int main(int argc, char **argv) {
    char number[16];
    if (argc != 6) return 2;
    shim = argv[1];
    built_in = strcmp(shim, "-") == 0;
    programs = realpath(argv[2], NULL);
    unsigned count = (unsigned)atoi(argv[5]);
    Buffer text = bytes_of("data/text.txt");
    mkdir(argv[3], 0777);
    if (!programs || !count || chdir(argv[3]) || text.length < 1000) return 2;
    text.length = 1000;
    put("text", text);
    mkdir("run", 0777);
    int file = open("page", O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || ftruncate(file, sizeof *page)) return 2;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) return 2;
    snprintf(number, sizeof number, "%d", file);
    setenv("FAULT_PAGE", number, 1);
    prepare();
    unsigned calls = 0;
    run(scenarios[4].command, none);
    for (int i = 0; i < FAULT_CALLS; i++) calls += page->calls[i];
    if (!calls) {
        printf("skip faults: the shim is not in force here\n");
        return 0;
    }
    if (!strcmp(argv[4], "faults") && !built_in) test_order();
    if (!strcmp(argv[4], "faults")) test_faults(count);
    if (!strcmp(argv[4], "deaths")) test_deaths(count);
    if (!strcmp(argv[4], "kills")) test_kills(count);
    return 0;
}
