#!/bin/sh
# Protects the checks of ./wtf: with one line of the program broken at a time, ./wtf must end with status 1.
#   sh tests/slow/wtf_breaks.sh [WORD]
# Each break is a substitution for sed; one that changes nothing is a failure, too. With a word, only breaks that have it in
# their names are tried.
. tests/programs/lib.sh
begin wtf_breaks
build="${CC:-cc} -std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -pthread -w -O1"
mkdir -p $out/objects
(cd $out/objects && $build -c "$OLDPWD"/lib/*.c) || bad "the library does not compile with $build"
only=$1

# broken FILE NAME SUBSTITUTION
broken() {
    case $2 in *"$only"*) ;; *) return ;; esac
    rm -rf $out/src
    mkdir -p $out/src/lib
    cp model.h wtf.c $out/src
    cp lib/*.[ch] $out/src/lib
    sed -E "$3" "$1" > $out/src/"$1"
    sources=$out/src/wtf.c objects=$(ls $out/objects/*.o)
    case $1 in lib/*.c) # its object gives way to the broken one
        sources="$sources $out/src/$1"
        objects=$(ls $out/objects/*.o | grep -v "/$(basename "$1" .c).o")
    esac
    if cmp -s "$1" $out/src/"$1"; then bad "$2: $3 changes nothing in $1"; return; fi
    if ! $build -o $out/wtf $sources $objects -lm 2> $out/errors; then bad "$2: it does not compile: $(head -n 1 $out/errors)"; return; fi
    timeout 60 $out/wtf > $out/said 2>&1
    status=$?
    [ $status -eq 1 ] && grep -q '^   FAILS' $out/said
    that $? "$2: $(sed -n 's/^   FAILS  //p' $out/said | head -n 1)" "status $status"
}

broken model.h "Linear starts at twice the bound" 's/bound = \(float\)\(1 \//bound = (float)(2 \//'
broken model.h "Linear starts at U(-1, 1)" 's/linear_size\(model->dim\), bound\)/linear_size(model->dim), 1)/'
broken model.h "the bias starts at zero" 's/model->linear, linear_size\(model->dim\), bound/model->linear, CHARACTERS * model->dim, bound/'
broken model.h "the table starts at half the deviation" 's/CHARACTERS \* model->dim, deviation\)/CHARACTERS * model->dim, deviation \/ 2)/'
broken model.h "rows are subtracted" 's/h\[d\] \+= model->embedding/h[d] -= model->embedding/'
broken model.h "the row before is looked up" 's/h\[d\] \+= model->embedding\[bag\[i\] \*/h[d] += model->embedding[(bag[i] ? bag[i] - 1 : 0) */'
broken model.h "only the first row of a bag is looked up" 's/h\[d\] \+= model->embedding\[bag\[i\]/h[d] += (i == 0) * model->embedding[bag[0]/'
broken model.h "the row before gets the gradient" 's/gradient->embedding\[bag\[i\] \* dim \+ d\] \+= dh/gradient->embedding[(bag[i] ? bag[i] - 1 : 0) * dim + d] += dh/'
broken model.h "a row's gradient has the wrong sign" 's/\* dim \+ d\] \+= dh\[d\]/* dim + d] -= dh[d]/'
broken model.h "a row's gradient is too small" 's/\* dim \+ d\] \+= dh\[d\]/* dim + d] += 0.9f * dh[d]/'
broken model.h "a row's gradient is not added up" 's/\* dim \+ d\] \+= dh\[d\]/* dim + d] = dh[d]/'
broken model.h "the bias is left out" 's/logits\[c\] = model->bias\[c\];/logits[c] = 0;/'
broken model.h "the last input of Linear is left out" 's/d < model->dim; d\+\+\) logits\[c\]/d + 1 < model->dim; d++) logits[c]/'
broken model.h "the weights never get a gradient" 's/gradient->linear\[c \* dim \+ d\] \+= dlogits\[c\] \* h\[d\]/gradient->linear[c * dim + d] += 0/'
broken model.h "the weights' gradient has the wrong sign" 's/gradient->linear\[c \* dim \+ d\] \+= dlogits/gradient->linear[c * dim + d] -= dlogits/'
broken model.h "the bias never gets a gradient" 's/gradient->bias\[c\] \+= dlogits\[c\];//'
broken model.h "the bias's gradient has the wrong sign" 's/gradient->bias\[c\] \+= dlogits/gradient->bias[c] -= dlogits/'
broken model.h "dh has the wrong sign" 's/dh\[d\] \+= dlogits\[c\] \*/dh[d] -= dlogits[c] */'
broken model.h "dh by the wrong weights" 's/\* model->linear\[c \* dim \+ d\];/* model->linear[d];/'
broken model.h "softmax does not add to 1" 's/logits\[c\] \*= 1 \/ total/logits[c] *= 2 \/ total/'
broken model.h "softmax leaves characters out of its sum" 's/i < 20; i\+\+\) total/i + 1 < 20; i++) total/'
broken model.h "the loss forgets the largest logit" 's/return \(double\)largest \+ exact_log/return exact_log/'
broken model.h "the loss adds the target's logit" 's/loss -= \(double\)logits\[targets\[i\]\]/loss += (double)logits[targets[i]]/'
broken model.h "the loss counts softmax once a bag" 's/return loss \+ \(double\)n \* softmax/return loss + softmax/'
broken model.h "p - onehot with the wrong sign" 's/p\[targets\[i\]\] -= share/p[targets[i]] += share/'
broken model.h "the gradient is not divided by the positions" 's/share = 1 \/ \(float\)positions/share = 1/'
broken model.h "p counts once a bag" 's/p\[c\] \*= \(float\)n \* share/p[c] *= share/'
broken model.h "max_norm is too short" 's/\(float\)\(optimizer->max_norm \/ \(norm/(float)(0.9 * optimizer->max_norm \/ (norm/'
broken model.h "max_norm never shortens" 's/norm > optimizer->max_norm && d < dim/norm < optimizer->max_norm \&\& d < dim/'
broken model.h "max_norm is not applied" 's/optimizer->max_norm > 0 && u </optimizer->max_norm < 0 \&\& u </'
broken model.h "norm_type is always 2" 's/exact_norm\(row, dim, optimizer->norm_type\)/exact_norm(row, dim, 2)/'
broken model.h "SGD goes with the gradient" 's/w\[i\] -= lr \* gradient\[i\]/w[i] += lr * gradient[i]/'
broken model.h "SGD goes half the way" 's/w\[i\] -= lr \* gradient\[i\]/w[i] -= 0.5f * lr * gradient[i]/'
broken model.h "Adagrad goes with the gradient" 's/w\[i\] -= lr \* \(gradient/w[i] += lr * (gradient/'
broken model.h "Adagrad forgets its sums" 's/sum\[i\] \+= gradient\[i\] \* gradient\[i\]/sum[i] = gradient[i] * gradient[i]/'
broken model.h "the parts of the gradient are not added" 's/gradient->linear\[i\] \+= training->part/gradient->linear[i] = training->part/'
broken model.h "a part's gradients stay" 's/memset\(training->part.linear, 0, linear \* sizeof\(float\)\);//'
broken model.h "Linear's gradients stay" 's/memset\(gradient->linear, 0, linear \* sizeof\(float\)\);//'
broken model.h "the rows' gradients stay" 's/memset\(g, 0, dim \* sizeof \*g\);//'
broken model.h "Linear never learns" 's/update\(optimizer, optimizer->linear_lr, linear,/update(optimizer, 0, linear,/'
broken model.h "Linear's bias never learns" 's/update\(optimizer, optimizer->linear_lr, linear,/update(optimizer, optimizer->linear_lr, linear - CHARACTERS,/'
broken model.h "frozen rows learn" 's/if \(!optimizer->freeze_embedding\)/if (true)/'
broken model.h "rows never learn" 's/if \(!optimizer->freeze_embedding\)/if (false)/'
broken model.h "scale_grad_by_freq does nothing" 's/g\[d\] \/= \(float\)batch->frequency\[u\]/g[d] \/= 1/'
broken model.h "the last row never learns" 's/u < batch->distinct; u\+\+\) \{/u + 1 < batch->distinct; u++) {/'
broken lib/characters.c "two characters change places" 's/jklmnop/jkmlnop/'
broken lib/random.c "random numbers lie in one half" 's/return \(float\)\(random_bits\(random\) & 0xffffffu\)/return 0.5f * (float)(random_bits(random) \& 0xffffffu)/'
broken lib/attention.h "attention looks at values only" 's/dot\(query, s->qkv\[j\] \+ HEAD, HEAD\)/0/'
broken lib/attention.h "attention gives nothing" 's/s->y\[i\]\[d\] \+= s->a\[i\]\[j\]/s->y[i][d] += 0 * s->a[i][j]/'
broken lib/attention.h "the shares do not add to 1" 's/s->a\[i\]\[j\] \/= sum/s->a[i][j] \/= 2 * sum/'
broken lib/attention.h "the keys get no gradient" 's/dqkv\[j\]\[HEAD \+ d\] \+=/dqkv[j][HEAD + d] += 0 */'
broken lib/attention.h "the values' gradient has the wrong sign" 's/dqkv\[j\]\[2 \* HEAD \+ d\] \+=/dqkv[j][2 * HEAD + d] -=/'
broken lib/attention.h "the cosine's gradient has the wrong sign" 's/\(b\[i\] \/ lengths - c/(b[i] \/ lengths + c/'
finish
