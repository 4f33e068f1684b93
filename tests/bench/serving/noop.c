/* In place of text.c's sagestack_read: reads no rows, scores nothing, and says 0.5 of one. */
#include <stdint.h>

typedef struct {
    double *rows;
    int64_t room, held;
    void *score;
    const void *model;
    double *scores;
} Sink;

int64_t no_rows(const void *inputs, int32_t format, const char *text, int64_t length, Sink *sink) {
    (void)inputs, (void)format, (void)text, (void)length;
    *sink->scores = 0.5;
    return 1;
}
