#include "data/worker_pool.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/alloc.h"

enum { RING = 3 };

/* Work is dealt image by image: task t is image t % N of step t / N, whose slot is step % RING. */
struct protea_pool {
    const protea_maker *maker;
    protea_slot slot[RING];
    int64_t done[RING];          /* images complete in the slot */
    pthread_mutex_t lock;        /* guards all below and done */
    pthread_cond_t work, ready;  /* there may be work; a slot is complete or the pool idle */
    int64_t next, end;           /* tasks: the next to deal, one past the last */
    int64_t in_use;              /* the step that the caller holds; slots of steps below in_use + RING may be filled */
    int busy;                    /* threads at work on a task */
    bool quit;
    int n_threads;
    pthread_t *thread;           /* (n_threads) owned */
};

static bool may_begin(const protea_pool *p)
{
    return p->next < p->end && p->next / p->maker->opts.batch_size < p->in_use + RING;
}

static void finish(protea_pool *p, protea_slot *slot, int64_t i, protea_status status)
{
    protea_failure_note(&slot->failure, status, i);
    p->busy--;
    if (++p->done[slot - p->slot] == p->maker->opts.batch_size || p->busy == 0)
        pthread_cond_broadcast(&p->ready);
}

static void *work(void *self)
{
    protea_pool *p = self;
    protea_hands hands = { 0 };
    int64_t n = p->maker->opts.batch_size;
    pthread_mutex_lock(&p->lock);
    while (!p->quit) {
        if (!may_begin(p)) {
            pthread_cond_wait(&p->work, &p->lock);
            continue;
        }
        int64_t task = p->next++;
        protea_slot *slot = &p->slot[task / n % RING];
        p->busy++;
        pthread_mutex_unlock(&p->lock);
        protea_status status = protea_maker_make(p->maker, slot, task / n, task % n, &hands);
        pthread_mutex_lock(&p->lock);
        finish(p, slot, task % n, status);
    }
    pthread_mutex_unlock(&p->lock);
    protea_hands_release(&hands);
    return NULL;
}

/* Signals are for the caller's thread: all are blocked while a worker is born. */
static protea_status start_threads(protea_pool *p, int workers)
{
    sigset_t all, before;
    PROTEA_TRY(protea_new(&p->thread, (size_t)workers, sizeof *p->thread, "loader threads"));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (p->n_threads < workers && pthread_create(&p->thread[p->n_threads], NULL, work, p) == 0)
        p->n_threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (p->n_threads < workers)
        return protea_fail(PROTEA_ERR_MEMORY, "loader thread %d of %d (--workers) could not be had", p->n_threads + 1, workers);
    return PROTEA_OK;
}

protea_status protea_pool_new(protea_pool **out, const protea_maker *maker, int workers)
{
    protea_pool *p;
    protea_status status = PROTEA_OK;
    *out = NULL;
    PROTEA_TRY(protea_new(&p, 1, sizeof *p, "the loader"));
    p->maker = maker;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->ready, NULL);
    for (int i = 0; i < RING && status == PROTEA_OK; i++)
        status = protea_slot_init(&p->slot[i], maker);
    if (status == PROTEA_OK)
        status = start_threads(p, workers);
    if (status != PROTEA_OK) {
        protea_pool_free(p);
        return status;
    }
    *out = p;
    return PROTEA_OK;
}

void protea_pool_free(protea_pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->quit = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->n_threads; i++)
        pthread_join(p->thread[i], NULL);
    for (int i = 0; i < RING; i++)
        protea_slot_release(&p->slot[i]);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->ready);
    pthread_mutex_destroy(&p->lock);
    protea_free(p->thread);
    protea_free(p);
}

void protea_pool_stop(protea_pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->end = p->next;
    while (p->busy > 0)
        pthread_cond_wait(&p->ready, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void protea_pool_start(protea_pool *p, int64_t first)
{
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < RING; i++) {
        p->slot[i].failure.status = PROTEA_OK;
        p->done[i] = 0;
    }
    p->next = first * p->maker->opts.batch_size;
    p->end = p->maker->sampler.steps * p->maker->opts.batch_size;
    p->in_use = first;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
}

protea_slot *protea_pool_wait(protea_pool *p, int64_t step)
{
    pthread_mutex_lock(&p->lock);
    if (step > p->in_use) { /* the slot of the step before is free again */
        p->slot[p->in_use % RING].failure.status = PROTEA_OK;
        p->done[p->in_use % RING] = 0;
        p->in_use = step;
        pthread_cond_broadcast(&p->work);
    }
    while (p->done[step % RING] < p->maker->opts.batch_size)
        pthread_cond_wait(&p->ready, &p->lock);
    pthread_mutex_unlock(&p->lock);
    return &p->slot[step % RING];
}
