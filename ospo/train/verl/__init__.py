"""OSPO in verl: an advantage estimator, a reward manager and an agent loop, all named ``ospo``.

verl hands an estimator nothing but rewards for each token, so credit travels inside of them:
the reward manager says what a completion is worth and the credit of its tokens, the agent loop
writes both into one row of rewards whose sum is that worth (:mod:`ospo.train.verl.dense`), and the
estimator reads them from it. Everything else, from sampling to the loss, is verl's own.
"""
